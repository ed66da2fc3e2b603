"""The Swarm's nodes as an operator sees them: what each has, does and lacks."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from notehive.errors import BadInput, NotehiveError
from notehive.platform import prepull, swarm

PRESENT = "present"
PULLING = "pulling"
RUNNING = "running"
WAITING = "waiting"
# What each node runs of the platform, and the service that it is.
PARTS = {"forwarder": "registry-forwarder", "wall": "wall"}


@dataclass(frozen=True)
class Node:
    """A node and its part in a stack. Memory is in bytes, CPU in cores."""

    id: str
    name: str
    address: str
    state: str  # ready, down, unknown, disconnected
    availability: str  # active, pause, drain
    role: str  # manager, worker
    data: bool  # whether it keeps the stack's data
    cpu: float
    memory: int
    reserved_cpu: float  # of it by all services, the Swarm's others too
    reserved_memory: int
    servers: list[str]  # users whose servers run there
    images: dict[str, str]  # of the settings: PRESENT, PULLING, WAITING, or why it cannot be had
    forwarder: str  # RUNNING, or why it cannot pull from the registry
    wall: str  # RUNNING, or why no server starts there
    known: bool  # whether the walls of all nodes know its address

    @property
    def present(self) -> int:
        """How many of the images are there."""
        return list(self.images.values()).count(PRESENT)

    def without(self, parts: Sequence[str]) -> dict[str, str]:
        """Which of these PARTS do not run there, and why."""
        found = {part: str(getattr(self, part)) for part in parts}
        return {part: why for part, why in found.items() if why != RUNNING}


def look(stack: str, specs: Mapping[str, Mapping[str, Any]] | None = None) -> list[Node]:
    """Give every node of the Swarm; ``specs`` are those of its services, if they are known."""
    specs = swarm.services() if specs is None else specs
    return [_look(stack, node, swarm.tasks(node["ID"]), specs) for node in swarm.nodes()]


def _look(
    stack: str,
    node: Mapping[str, Any],
    tasks: Sequence[swarm.Task],
    specs: Mapping[str, Mapping[str, Any]],
) -> Node:
    has = node["Description"]["Resources"]
    running = [task.service for task in tasks if task.desired == "Running"]
    reserved = [
        specs[name]["TaskTemplate"].get("Resources", {}).get("Reservations", {})
        for name in running
        if name in specs
    ]
    walls = specs.get(swarm.wall(stack), {}).get("TaskTemplate", {}).get("ContainerSpec", {})
    ours = {
        name: spec["Labels"]
        for name, spec in specs.items()
        if spec["Labels"].get("notehive.stack") == stack
    }
    return Node(
        id=node["ID"],
        name=node["Description"]["Hostname"],
        address=swarm.address(node),
        state=node["Status"]["State"],
        availability=node["Spec"]["Availability"],
        role=node["Spec"]["Role"],
        data=node["Spec"].get("Labels", {}).get(swarm.data_label(stack)) == "true",
        cpu=has["NanoCPUs"] / 1e9,
        memory=has["MemoryBytes"],
        reserved_cpu=sum(each.get("NanoCPUs", 0) for each in reserved) / 1e9,
        reserved_memory=sum(each.get("MemoryBytes", 0) for each in reserved),
        servers=[
            labels["notehive.user"]
            for name, labels in ours.items()
            if name in running and labels["notehive.kind"] == "server"
        ],
        images={
            labels["notehive.image"]: _image([task for task in tasks if task.service == name])
            for name, labels in ours.items()
            if labels["notehive.kind"] == prepull.KIND
        },
        forwarder=_part([task for task in tasks if task.service == swarm.forwarder(stack)]),
        wall=_part([task for task in tasks if task.service == swarm.wall(stack)]),
        known=swarm.address(node) in _variable(walls, "NODES").split(),
    )


def _image(tasks: Sequence[swarm.Task]) -> str:
    """What became of the tasks, newest first, that had a node pull an image."""
    if any(task.state == "Complete" for task in tasks):
        return PRESENT
    if not tasks:
        return WAITING
    return tasks[0].error or PULLING


def _part(tasks: Sequence[swarm.Task]) -> str:
    if any(task.state == "Running" and task.desired == "Running" for task in tasks):
        return RUNNING
    return (tasks[0].error if tasks else "") or WAITING


def _variable(container: Mapping[str, Any], name: str) -> str:
    """Give a variable of a service's containers, or nothing."""
    environment: dict[str, str] = dict(each.split("=", 1) for each in container.get("Env", ()))
    return environment.get(name, "")


def await_ready(
    stack: str, parts: Sequence[str], say: Callable[[str], None], seconds: float = 60
) -> str:
    """Wait until these PARTS run on every node; say on how many they do.

    A node that joined by itself has not got the forwarder's image, and `status` tells the remedy.
    Raises NotehiveError if it is the node that keeps the data.
    """
    deadline = time.monotonic() + seconds
    while True:
        listed = usable(stack)
        late = [(node, without) for node in listed if (without := node.without(parts))]
        hopeless = not any(node.data or WAITING in why.values() for node, why in late)
        if hopeless or time.monotonic() > deadline:
            break
        say(f"waiting for {', '.join(node.name for node, _ in late)}")
        time.sleep(0.5)
    for node, without in late:
        part, why = next(iter(without.items()))
        if node.data:
            raise NotehiveError(
                f"{PARTS[part]}: not running after {seconds:.0f} s; {why}; "
                f"see `./notehive logs {PARTS[part]}`"
            )
    names = ", ".join(node.name for node, _ in late)
    said = f"; no server starts on {names}, see `./notehive status`" if late else ""
    return f"{len(listed) - len(late)} ready{said}"


def usable(stack: str) -> list[Node]:
    """Give the nodes on which the Swarm starts something."""
    return [node for node in look(stack) if node.state == "ready" and node.availability == "active"]


def wrong(nodes: Sequence[Node]) -> list[str]:
    """Give what is wrong with nodes, a sentence each with its remedy."""
    found = []
    for node in nodes:
        if node.state != "ready":
            found.append(
                f"node {node.name} is {node.state}; switch it on, "
                f"or forget it: `./notehive node remove {node.name}`"
            )
        elif node.availability == "active" and node.forwarder not in (RUNNING, WAITING):
            remedy = (
                "see `./notehive logs registry-forwarder`"
                if node.data
                else "type there what `./notehive node join-command` prints, but its last line"
            )
            found.append(f"node {node.name} cannot pull images ({node.forwarder}); {remedy}")
        elif node.availability == "active" and node.wall not in (RUNNING, WAITING):
            found.append(
                f"node {node.name} has no wall ({node.wall}), and no server starts there; "
                "see the log of the service's container there"
            )
        elif not node.known:
            found.append(
                f"node {node.name} joined after the last `./notehive up`, and servers on other "
                "nodes reach its ports; run `./notehive up`"
            )
        else:
            found += [
                f"node {node.name}: image {key}: {state}"
                for key, state in node.images.items()
                if state not in (PRESENT, PULLING, WAITING)
            ]
    return found


def find(nodes: Sequence[Node], name: str) -> Node:
    """Give the node of this name or id; raise BadInput if there is none, or more than one."""
    found = [node for node in nodes if name in (node.name, node.id)]
    if not found:
        known = ", ".join(node.name for node in nodes)
        raise BadInput(f"{name}: no such node; there are {known}")
    if len(found) > 1:
        ids = ", ".join(node.id for node in found)
        raise BadInput(f"{name}: {len(found)} nodes have this name; use an id: {ids}")
    return found[0]
