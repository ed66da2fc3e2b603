"""What the Swarm says of a server's tasks, read once and judged in one place.

Task states and desired states as SwarmKit defines them; a server's service never restarts its
task, so it has one, but for the moments in which a lost node comes back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

STARTING = frozenset(
    {"new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting"}
)
UNPLACED = frozenset({"new", "allocated", "pending"})  # no node has been chosen yet
WANTED = frozenset({"ready", "running"})  # desired states of a task that is to live


@dataclass(frozen=True)
class Task:
    """One task of a service."""

    id: str
    service: str  # id of its service
    node: str  # id of its node; empty while it has none
    created: str  # RFC 3339, so that texts compare as times
    state: str
    wanted: bool  # whether the Swarm means it to live
    error: str
    exit_code: int | None
    addresses: Mapping[str, str]  # by network name, without the length of the prefix

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> "Task":
        """Take a task as the engine's API describes it."""
        status = data.get("Status") or {}
        addresses = {}
        for attachment in data.get("NetworksAttachments") or ():
            for address in attachment.get("Addresses") or ():
                addresses[attachment["Network"]["Spec"]["Name"]] = address.split("/")[0]
        # One that runs carries an exit code of 0, and keeps it if the Swarm rejects it meanwhile.
        ended = status.get("State") not in STARTING | {"running", "rejected"}
        container = status.get("ContainerStatus") or {}
        return cls(
            id=data.get("ID", ""),
            service=data.get("ServiceID", ""),
            node=data.get("NodeID", ""),
            created=data.get("CreatedAt", ""),
            state=status.get("State", "new"),
            wanted=data.get("DesiredState", "running") in WANTED,
            error=status.get("Err", ""),
            exit_code=container.get("ExitCode") if ended else None,
            addresses=addresses,
        )

    @property
    def starting(self) -> bool:
        """Whether it is on its way to run."""
        return self.wanted and self.state in STARTING

    @property
    def running(self) -> bool:
        """Whether it runs, and is to go on."""
        return self.wanted and self.state == "running"

    @property
    def present(self) -> bool:
        """Whether it holds its home and its resources, or soon will."""
        return self.state in STARTING or self.state == "running"


def current(tasks: Iterable[Task]) -> Task | None:
    """Give the task that speaks for a service: the newest that is to live, else the newest."""
    return max(tasks, key=lambda task: (task.wanted, task.created), default=None)
