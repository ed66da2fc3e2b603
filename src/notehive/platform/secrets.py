"""Passwords and tokens of the services: Swarm secrets that are made here and known to nobody.

All are of one generation, whose number ends their names. `begin` makes the first of another one,
and from then on that is the generation: what is interrupted then, `up` completes.
"""

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from notehive import docker, shell

NAME = re.compile(r"(?P<stack>[^_]+)_(?P<key>[^.]+)\.(?P<number>\d+)")


@dataclass(frozen=True)
class Generation:
    """Which secrets are in force; ``former`` are the keys of those before that are still there."""

    number: int = 1
    former: Collection[str] = field(default_factory=frozenset)


def current(stack: str) -> Generation:
    """Give the newest generation that the Swarm has, the first if there is none yet."""
    found = [match for name in docker.created("secret", stack) if (match := NAME.fullmatch(name))]
    number = max((int(match["number"]) for match in found), default=1)
    before = (match["key"] for match in found if int(match["number"]) == number - 1)
    return Generation(number, frozenset(before))


def value(key: str) -> str:
    """Make a secret for this key: a .pgpass line for ``postgres-*``, else 64 hexadecimal digits."""
    password = secrets.token_hex(32)
    if key.startswith("postgres-"):
        role = key.removeprefix("postgres-")
        return f"postgres:5432:{role}:{role}:{password}"
    return password


def ensure(stack: str, keys: Collection[str]) -> list[str]:
    """Create those that the current generation lacks; give their keys."""
    there, number = docker.created("secret", stack), current(stack).number
    created = [key for key in keys if f"{stack}_{key}.{number}" not in there]
    for key in created:
        _create(stack, key, number)
    return created


def begin(stack: str, key: str) -> None:
    """Begin another generation, with the secret of this key."""
    _create(stack, key, current(stack).number + 1)


def _create(stack: str, key: str, number: int) -> None:
    name = f"{stack}_{key}.{number}"
    shell.run(docker.create("secret", name, stack), stdin=value(key).encode())
