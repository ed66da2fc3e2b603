"""Passwords and tokens: Swarm secrets, made once, known to nobody."""

import secrets

from notehive import docker, shell


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
        create = docker.create("secret", f"{stack}_{name}", {"notehive.stack": stack})
        shell.run(create, stdin=value(name).encode())
    return created
