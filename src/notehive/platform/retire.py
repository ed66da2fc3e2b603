"""Taking a node out of service: for a while, or for good."""

from collections.abc import Callable

from notehive import docker, shell
from notehive.errors import BadInput
from notehive.platform import swarm
from notehive.platform.nodes import Node
from notehive.platform.patience import until_none

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
    if node.state != "ready":
        return
    until_none(
        lambda: sorted({t.service for t in swarm.tasks(node.id) if t.state == "Running"}),
        seconds,
        lambda left: f"{node.name}: {left[0]} does not end; see `docker ps` there",
        lambda left: say(f"waiting for {', '.join(left)}"),
    )


def remove(node: Node, say: Say) -> None:
    """Take a node out of the Swarm, with its labels; it may be dead."""
    if node.role == "manager":
        raise BadInput(f"{node.name}: manages the Swarm; `docker node demote {node.name}` first")
    drain(node, say)
    shell.run(docker.command("node", "rm", "--force", node.id))
