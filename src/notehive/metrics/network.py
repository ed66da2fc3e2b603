"""What each container of a node has received and sent, by the node's processes.

The kernel counts it for a network namespace, which is seen by any process in it. Which processes
are a container's, says their control group: what the groups themselves list are numbers of another
namespace of processes than the node's.
"""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from notehive.metrics import short
from notehive.metrics.files import read

CONTAINER = re.compile(r"[0-9a-f]{64}")


class Traffic(NamedTuple):
    """Bytes since the container began."""

    received: int
    sent: int


class Network:
    """The network namespaces of a node, by its ``/proc``."""

    def __init__(self, proc: Path) -> None:
        self._proc = str(proc)
        self._pids: dict[str, int] = {}  # a process of each container

    def traffic(self, containers: Collection[str]) -> dict[str, Traffic]:
        """Give the traffic of those containers that have a network of their own."""
        self._follow(containers)
        host = self._namespace(1)
        found = {}
        for container, pid in self._pids.items():
            try:
                if self._namespace(pid) != host:
                    found[container] = _count(read(f"{self._proc}/{pid}/net/dev"))
            except OSError:
                continue  # it has ended
        return found

    def _follow(self, containers: Collection[str]) -> None:
        """Know a process of each container; look through all of them only for a new one."""
        self._pids = {
            container: pid
            for container, pid in self._pids.items()
            if container in containers and self._container(pid) == container
        }
        if any(container not in self._pids for container in containers):
            for pid in self._all():
                if (container := self._container(pid)) in containers:
                    self._pids.setdefault(container, pid)

    def _all(self) -> Iterator[int]:
        with os.scandir(self._proc) as entries:
            yield from sorted(int(entry.name) for entry in entries if entry.name.isdigit())

    def _container(self, pid: int) -> str:
        """Give the container of a process, or nothing."""
        try:
            found = CONTAINER.search(read(f"{self._proc}/{pid}/cgroup"))
        except OSError:
            return ""
        return short(found[0]) if found else ""

    def _namespace(self, pid: int) -> int:
        """Give what tells the network namespace of a process: each has files of its own."""
        return os.stat(f"{self._proc}/{pid}/net/dev").st_ino  # noqa: PTH116 - see files


def _count(text: str) -> Traffic:
    """Sum the interfaces but the loopback: after two lines of headings, bytes are 1st and 9th."""
    rows = [line.partition(":") for line in text.splitlines()[2:]]
    counts = [figures.split() for name, _, figures in rows if name.strip() != "lo"]
    return Traffic(sum(int(each[0]) for each in counts), sum(int(each[8]) for each in counts))
