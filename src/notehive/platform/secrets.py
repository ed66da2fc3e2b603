"""Passwords and tokens: Swarm secrets, made once, known to nobody."""

import secrets
from typing import Any

from notehive import docker, shell


def leave_out(stack: dict[str, Any], name: str) -> None:
    """Take a secret out of a stack file, and from its services."""
    del stack["secrets"][name]
    for service in stack["services"].values():
        if "secrets" in service:
            service["secrets"] = [each for each in service["secrets"] if each["source"] != name]


def value(name: str) -> str:
    """Make a secret of this name: a .pgpass line for ``postgres-*``, else 64 hexadecimal digits."""
    password = secrets.token_hex(32)
    if name.startswith("postgres-"):
        role = name.removeprefix("postgres-")
        return f"postgres:5432:{role}:{role}:{password}"
    return password


def missing(stack: str, names: list[str]) -> list[str]:
    """Give those of the secrets that the stack does not have yet."""
    there = {row["Name"] for row in docker.objects("secret", "ls")}
    return [name for name in names if f"{stack}_{name}" not in there]


def ensure(stack: str, names: list[str]) -> list[str]:
    """Create the secrets that are missing; give their names."""
    created = missing(stack, names)
    for name in created:
        shell.run(docker.create("secret", f"{stack}_{name}", stack), stdin=value(name).encode())
    return created
