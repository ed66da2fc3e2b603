"""Passwords: what is accepted, how they are made, hashed and compared."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

import bcrypt

LONGEST = 72  # bytes: bcrypt looks at no more
FEWEST_DIFFERENT = 4
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for something else
GROUP = 5

# A hash takes a fifth of a second on purpose. bcrypt frees the interpreter meanwhile, so
# threads keep the hub answering; a pool of their own keeps them from delaying spawns.
_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="password")


def _encode(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def check_new_password(password: str, *, name: str, shortest: int, is_common: bool) -> None:
    """Raise ValueError, with a sentence that says what to do, for a password not accepted."""
    if len(password) < shortest:
        raise ValueError(f"The password is too short: use at least {shortest} characters.")
    if len(_encode(password)) > LONGEST:
        raise ValueError(f"The password is too long: use at most {LONGEST} bytes.")
    if is_common or len(set(password)) < FEWEST_DIFFERENT:
        raise ValueError("The password is too common: choose one that nobody would guess.")
    if password.casefold() == name:
        raise ValueError("The password is the user name: choose another.")


def generate_password(shortest: int) -> str:
    """Give a random password that is easy to read and type, of at least ``shortest``."""
    groups = max(4, -(-(shortest + 1) // (GROUP + 1)))
    return "-".join("".join(secrets.choice(READABLE) for _ in range(GROUP)) for _ in range(groups))


async def hash_password(password: str, rounds: int) -> bytes:
    """Give the salted bcrypt hash; ``rounds`` is the binary logarithm of its cost."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(
        _pool, bcrypt.hashpw, _encode(password), bcrypt.gensalt(rounds)
    )


async def is_password(password: str, hashed: bytes) -> bool:
    """Say whether this password has this hash. A longer one than bcrypt takes has none."""
    encoded = _encode(password)
    loop = asyncio.get_running_loop()
    same = await loop.run_in_executor(_pool, bcrypt.checkpw, encoded[:LONGEST], hashed)
    return same and len(encoded) <= LONGEST
