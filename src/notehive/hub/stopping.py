"""The end of a server's tasks, which use the home until they are gone."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from notehive.hub.tasks import Task
from notehive.hub.watch import Watch

GRACE_SECONDS = 10  # for a server to end by itself; then its node ends it


async def gone(watch: Watch, name: str) -> bool:
    """Wait until no task of a service, or of earlier ones of this name, is left; say if so.

    A task on a lost node is not waited for: the Swarm ends it when the node comes back.
    """
    nodes: Mapping[str, Any] | None = None
    try:
        async with (
            asyncio.timeout(GRACE_SECONDS),
            aclosing(watch.follow(name)) as looks,
        ):
            async for tasks in looks:
                left = [task for task in tasks if task.present]
                if left and nodes is None:
                    nodes = await watch.engine.nodes()
                if all(_lost(task, nodes or {}) for task in left):
                    return True
    except TimeoutError:
        pass
    return False


def _lost(task: Task, nodes: Mapping[str, Any]) -> bool:
    if not task.node:
        return False
    return task.node not in nodes or nodes[task.node]["Status"]["State"] == "down"
