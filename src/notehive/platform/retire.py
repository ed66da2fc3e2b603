"""Taking a node out of service: for a while, or for good."""

import time
from collections.abc import Callable

from notehive import docker, shell
from notehive.errors import BadInput, NotehiveError
from notehive.platform import swarm
from notehive.platform.nodes import Node

Say = Callable[[str], None]


def require_expendable(stack: str, node: Node) -> None:
    """Raise BadInput for the node that the workbench itself stands on."""
    if node.data:
        raise BadInput(
            f"{node.name}: keeps the data of {stack}, and all of it would stop; "
            "`./notehive down` does that, docs/data.md says how the data move to another node"
        )


def consequence(node: Node) -> str:
    """Say what becomes of the users' servers on a node that is drained or removed."""
    if not node.servers:
        return "no user's server ends"
    people = ", ".join(sorted(set(node.servers)))
    return (
        f"the servers of {people} end, with what runs in them; files in homes stay, and "
        "they can start again on another node"
    )


def set_availability(node: Node, availability: str) -> None:
    """Tell the Swarm whether it may use the node: `active` or `drain`."""
    shell.run(docker.command("node", "update", "--availability", availability, node.id))


def drain(node: Node, say: Say, seconds: float = 120) -> None:
    """End what runs on a node, and keep it free; wait until it is empty."""
    set_availability(node, "drain")
    deadline = time.monotonic() + seconds
    while node.state == "ready" and (
        left := {task.service for task in swarm.tasks(node.id) if task.state == "Running"}
    ):
        say(f"waiting for {', '.join(sorted(left))}")
        if time.monotonic() > deadline:
            raise NotehiveError(
                f"{node.name}: {sorted(left)[0]} does not end; see `docker ps` there"
            )
        time.sleep(0.3)


def remove(node: Node, say: Say) -> None:
    """Take a node out of the Swarm, with its labels; it may be dead."""
    if node.role == "manager":
        raise BadInput(f"{node.name}: manages the Swarm; `docker node demote {node.name}` first")
    drain(node, say)
    shell.run(docker.command("node", "rm", "--force", node.id))
