"""Passwords and tokens of the services: Swarm secrets that are made here and known to nobody.

All are of one generation, whose number ends their names. `begin` makes the first of another one,
and from then on that is the generation: what is interrupted then, `up` completes.
"""

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass

from notehive import docker, shell

NAME = re.compile(r"(?P<stack>[^_]+)_(?P<key>[^.]+)\.(?P<number>\d+)")


@dataclass(frozen=True)
class Generation:
    """Which secrets are in force: the keys of those that are there, and of those before."""

    number: int = 1
    keys: Collection[str] = frozenset()
    former: Collection[str] = frozenset()


def current(stack: str) -> Generation:
    """Give the newest generation that the Swarm has, the first if there is none yet."""
    found = [match for name in docker.created("secret", stack) if (match := NAME.fullmatch(name))]
    number = max((int(match["number"]) for match in found), default=1)
    now, before = (
        frozenset(match["key"] for match in found if int(match["number"]) == of)
        for of in (number, number - 1)
    )
    return Generation(number, now, before)


def value(key: str) -> str:
    """Make a secret for this key: a .pgpass line for ``postgres-*``, else 64 hexadecimal digits."""
    password = secrets.token_hex(32)
    if key.startswith("postgres-"):
        role = key.removeprefix("postgres-")
        return f"postgres:5432:{role}:{role}:{password}"
    return password


def ensure(stack: str, generation: Generation, keys: Collection[str]) -> list[str]:
    """Create those that the generation lacks; give their keys."""
    created = [key for key in keys if key not in generation.keys]
    for key in created:
        _create(stack, key, generation.number)
    return created


def begin(stack: str, generation: Generation, key: str) -> Generation:
    """Begin the generation after this one, with the secret of this key."""
    _create(stack, key, generation.number + 1)
    return Generation(generation.number + 1, frozenset({key}), generation.keys)


def _create(stack: str, key: str, number: int) -> None:
    name = f"{stack}_{key}.{number}"
    shell.run(docker.create("secret", name, stack), stdin=value(key).encode())
