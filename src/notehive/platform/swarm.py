"""The Swarm: this node's place in it, and what carries our label."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from notehive import docker, shell
from notehive.errors import BadInput
from notehive.platform import machine


@dataclass(frozen=True)
class Membership:
    """A node's place in its Swarm."""

    active: bool
    manager: bool
    node: str  # its id
    address: str  # where other nodes reach it


def membership() -> Membership:
    """Ask the engine whether it is in a Swarm."""
    done = shell.run(
        docker.command(
            "info",
            "--format",
            "{{.Swarm.LocalNodeState}}|{{.Swarm.ControlAvailable}}|{{.Swarm.NodeID}}|{{.Swarm.NodeAddr}}",
        )
    )
    state, manager, node, address = done.out.strip().split("|")
    return Membership(state == "active", manager == "true", node, address)


def require_usable() -> Membership:
    """Give this node's membership; raise BadInput where no stack could be deployed from it."""
    here = membership()
    if here.active and not here.manager:
        raise BadInput(
            "Docker Swarm: this node is a worker of its Swarm; run this on a manager "
            "(`docker node ls` there shows which)"
        )
    return here


def ensure_swarm() -> str:
    """Make a Swarm of this node unless it is in one; say what was done."""
    if membership().active:
        return ""
    address = machine.address()
    shell.run(docker.command("swarm", "init", "--advertise-addr", address))
    return f"made one at {address}"


def data_label(stack: str) -> str:
    """Name of the label of the node that keeps a stack's data."""
    return f"notehive.{stack}.data"


def nodes() -> list[dict[str, Any]]:
    """Give every node of the Swarm, as the engine describes it."""
    ids = docker.output("node", "ls", "--quiet").split()
    return docker.inspect("node", *ids)


def address(node: Mapping[str, Any]) -> str:
    """Give the address by which other nodes reach a node."""
    # A manager's Status may say 0.0.0.0 or 127.0.0.1 of itself.
    manager = node.get("ManagerStatus", {}).get("Addr", "")
    return str(manager.rpartition(":")[0] or node["Status"].get("Addr", ""))


def services() -> dict[str, dict[str, Any]]:
    """Give the spec of every service of the Swarm by its name."""
    ids = docker.output("service", "ls", "--quiet").split()
    return {each["Spec"]["Name"]: each["Spec"] for each in docker.inspect("service", *ids)}


def wall(stack: str) -> str:
    """Name of the service that walls users' servers off on each node."""
    return f"{stack}_wall"


def forwarder(stack: str) -> str:
    """Name of the service through which each node pulls from the registry."""
    return f"{stack}_registry-forwarder"


@dataclass(frozen=True)
class Task:
    """A task of a service, in the Swarm's own words."""

    service: str
    desired: str  # Running, Shutdown, ...
    state: str  # Running, Complete, Rejected, ...
    error: str


def tasks(node: str) -> list[Task]:
    """Give a node's tasks, each service's newest first."""
    return [
        Task(
            # "service.1", "service.<node>", or " \\_ service.1" for an earlier one.
            service=row["Name"].split()[-1].rpartition(".")[0],
            desired=row["DesiredState"],
            state=row["CurrentState"].split()[0],
            error=row["Error"].strip('"'),
        )
        for row in docker.objects("node", "ps", "--no-trunc", node)
    ]


def data_node(stack: str) -> dict[str, Any] | None:
    """Give the node that keeps the stack's data, if one has been chosen."""
    label = data_label(stack)
    for node in nodes():
        if node["Spec"].get("Labels", {}).get(label) == "true":
            return node
    return None


def has_data_here(stack: str, here: str) -> bool:
    """Whether the stack has data, on this node (its id); raise BadInput if they are on another."""
    node = data_node(stack)
    if node is not None and node["ID"] != here:
        name = node["Description"]["Hostname"]
        raise BadInput(f"{stack}: its data are on the node {name}; run this there")
    return node is not None


def ensure_network(name: str, subnet: str, stack: str) -> bool:
    """Create the network of users' servers unless it is there; say whether it was created."""
    if docker.inspect("network", name):
        return False
    shell.run(docker.create_network(name, subnet, stack))
    return True
