"""Removal of what belongs to no server that the hub knows: no service is left behind."""

from collections.abc import Iterable
from typing import Any

from notehive.hub import tokens
from notehive.hub.engine import Engine


def used(users: Iterable[Any]) -> tuple[set[str], set[tuple[str, str]]]:
    """Give the services, by name, and the (user, server) of all servers that run or start."""
    services, servers = set(), set()
    for user in users:
        for spawner in user.spawners.values():
            if spawner.active:
                services.add(spawner.object_name)
                servers.add((user.name, spawner.name))
    return services, servers


async def sweep(engine: Engine, stack: str, users: Any) -> list[str]:
    """Remove services and tokens of servers that the hub does not know; give their names.

    ``users``: the hub's, by id; looked at after the engine, so that a server that is being
    made meanwhile is known.
    """
    ours = f"notehive.stack={stack}"
    chosen = {"label": [ours, "notehive.kind=server"]}
    services = await engine.call("services", filters=chosen)
    secrets = await engine.call(
        "secrets", filters={"label": [ours, f"notehive.kind={tokens.KIND}"]}
    )
    known, servers = used(users.values())
    removed = []
    for service in services:
        name = service["Spec"]["Name"]
        if name not in known and await engine.discard("service", service["ID"]):
            removed.append(name)
    for secret in secrets:
        labels = secret["Spec"]["Labels"]
        if (labels["notehive.user"], labels["notehive.server"]) not in servers:
            removed += await tokens.discard_one(engine, secret)
    return removed
