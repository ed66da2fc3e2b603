"""How a server ended, in words for its user."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from notehive.endings import OUT_OF_MEMORY
from notehive.hub.amounts import memory
from notehive.hub.room import hostname, trouble
from notehive.hub.tasks import Task

REMOVED = "It was stopped from outside the hub."
KILLED = 128 + 9  # exit code of a process that a SIGKILL ended


class Memory(NamedTuple):
    """What a server could use, and what its user could choose instead."""

    limit: int  # bytes
    larger: Sequence[str]  # titles of sizes with more


def words(
    task: Task | None, nodes: Mapping[str, Mapping[str, Any]], limit: Memory | None = None
) -> str:
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
    if task.exit_code == OUT_OF_MEMORY:
        return _out_of_memory(limit)
    if task.exit_code == KILLED:
        return "It was killed: by its node's engine, or by an administrator."
    if task.exit_code is not None:
        return f"It ended with exit code {task.exit_code}; its log says more."
    where = f" on {hostname(node)}" if node else ""
    return f"It was {task.state}{where}: {task.error or 'the Swarm does not say why'}."


def _out_of_memory(limit: Memory | None) -> str:
    if limit is None:
        return "It ran out of memory."
    said = f"It ran out of memory: it needed more than its {memory(limit.limit)}."
    if limit.larger:
        return f"{said} Choose a larger size: {' or '.join(limit.larger)}."
    return f"{said} There is no larger size for you; an administrator can change that."


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
