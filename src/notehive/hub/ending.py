"""How a server ended, in words for its user."""

from collections.abc import Mapping
from typing import Any

from notehive.hub.room import hostname, trouble
from notehive.hub.tasks import Task

REMOVED = "It was stopped from outside the hub."
KILLED = 128 + 9  # exit code of a process that a SIGKILL ended


def words(task: Task | None, nodes: Mapping[str, Mapping[str, Any]]) -> str:
    """Say why a server that is not running has ended; nothing where its user ended it.

    ``task``: its last one, None if its service is gone; ``nodes``: the Swarm's, by id.
    """
    if task is None:
        return REMOVED
    node = nodes.get(task.node)
    if not task.wanted and task.present:
        where = hostname(node) if node else "a node that left the Swarm"
        problem = (trouble(node) if node else "gone") or "ending its work"
        return f"It ran on {where}, which is {problem}."
    if task.exit_code == 0:
        return ""
    if task.exit_code == KILLED:
        return "It was killed: by the engine, or by the kernel for want of memory."
    if task.exit_code is not None and task.state != "rejected":
        return f"It ended with exit code {task.exit_code}; its log says more."
    where = f" on {hostname(node)}" if node else ""
    return f"It was {task.state}{where}: {task.error or 'the Swarm does not say why'}."


def refusal(task: Task, node: Mapping[str, Any] | None, image: str) -> str:
    """Say why a task could not start; ``image`` is what its user chose."""
    where = hostname(node) if node else "The Swarm"
    error = task.error.strip()
    if "No such image" in error or "pull access denied" in error or "not found" in error:
        return (
            f"The image {image} is not on {where} and cannot be pulled there: {error}. "
            "An administrator sees which nodes have it with `./notehive status`."
        )
    if "mount" in error:
        return f"{where} refused a folder of the server: {error}"
    if task.exit_code:
        return f"The server ended as soon as it began, with exit code {task.exit_code}."
    return f"{where} could not start the server ({task.state}): {error or 'no reason is given'}"
