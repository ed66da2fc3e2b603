"""A task without a place: what it waits for, and when that is in vain."""

import asyncio

from notehive.hub import room
from notehive.hub.engine import Engine
from notehive.hub.tasks import Task

ROOM_SECONDS = 30  # to wait for a place; others may be about to leave
ADDRESS_SECONDS = 3  # after which a task without an address is a sign of a full network


class InVainError(Exception):
    """It will not run; the message says why, in a sentence for its user."""

    def __init__(self, message: str, *, for_now: bool) -> None:
        super().__init__(message)
        self.for_now = for_now  # whether it might another time


async def reason(
    engine: Engine,
    task: Task,
    waited: float,
    need: room.Need,
    network: str,
    *,
    what: str = "server",
    patience: float | None = None,
) -> str:
    """Say what an unplaced task waits for, nothing if the Swarm has only just begun.

    ``waited``: seconds since its service was made; ``network``: name of the one that it is
    to have an address in; ``patience``: seconds to wait for a place, if not those of a server.
    Raises InVainError.
    """
    patience = ROOM_SECONDS if patience is None else patience
    if task.error:
        nodes, tasks = await asyncio.gather(
            engine.call("nodes"), engine.call("tasks", filters={"desired-state": "running"})
        )
        hopeless, words = room.judge(need, nodes, tasks)
        if hopeless:
            raise InVainError(f"This {what} cannot run: {words}.", for_now=False)
        if waited > patience:
            raise InVainError(f"There is no room for this {what} now: {words}.", for_now=True)
        return f"Waiting: {words}"
    if waited > ADDRESS_SECONDS:
        found, tasks, nodes = await asyncio.gather(
            engine.find("network", network), engine.call("tasks"), engine.call("nodes")
        )
        if found is None:
            raise InVainError(f"The network {network} is gone; `up` makes it.", for_now=False)
        left, total = room.addresses_left(found, tasks, len(nodes))
        if left == 0:
            raise InVainError(
                f"The network of users' servers is full: its {total} addresses are taken. "
                "Stop a server, or ask an administrator to enlarge network.users.",
                for_now=True,
            )
        if waited > patience:
            raise InVainError(f"The Swarm gave it no place within {waited:.0f} s.", for_now=True)
        return "Waiting for an address"
    return ""
