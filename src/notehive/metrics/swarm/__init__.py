"""The Swarm as it is at one moment, asked of the guarded Docker API."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from notehive.hub import room
from notehive.hub.tasks import Task
from notehive.metrics import web

API = "http://guard-metrics:2375/v1.41"

Described = Mapping[str, Any]  # an object as the engine describes it


class Swarm:
    """Nodes, services, tasks and the users' network, as the engine describes them."""

    def __init__(
        self,
        nodes: Sequence[Described],
        services: Sequence[Described],
        tasks: Sequence[Described],
        network: Described,
    ) -> None:
        self.nodes = nodes
        self.services = {each["ID"]: each for each in services}  # this workbench's alone
        self.tasks = tasks  # of everybody: they all take room
        self.network = network

    @classmethod
    def ask(cls, stack: str) -> "Swarm":
        """Ask for all of it. Raises OSError if the guard or the engine does not answer."""
        nodes, services, tasks, network = (
            web.read(f"{API}{path}")
            for path in ("/nodes", "/services", "/tasks", f"/networks/{stack}_users")
        )
        return cls(nodes, services, tasks, network)

    @cached_property
    def hostnames(self) -> Mapping[str, str]:
        """The name of each node by its id."""
        return {node["ID"]: room.hostname(node) for node in self.nodes}

    @cached_property
    def ours(self) -> Sequence[tuple[Task, Described]]:
        """The tasks of this workbench, read, each with the labels of its service."""
        return [
            (Task.read(task), self.services[task["ServiceID"]]["Spec"]["Labels"])
            for task in self.tasks
            if task.get("ServiceID") in self.services
        ]
