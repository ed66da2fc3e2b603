"""What the kernel's control groups say of each container of a node, in version 1 and 2.

A container's group is called by its id (``docker/ID``, or ``system.slice/docker-ID.scope`` with
systemd's driver), wherever the engine was told to put it. Version 1 has a tree for each controller.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from notehive.metrics import short
from notehive.metrics.files import read, read_if_any, rows

CONTAINER = re.compile(r"(?:docker-)?([0-9a-f]{64})(?:\.scope)?")
BLKIO = "blkio.throttle.io_service_bytes_recursive"
UNLIMITED = 2**60  # version 1 has a number near 2**63 for it


class Used(NamedTuple):
    """What a container has used since it began, and holds now."""

    cpu: float  # seconds
    memory: int  # bytes, without the files in the cache that can go at once
    limit: int  # bytes of memory; 0 for none
    oom_kills: int
    read: int | None  # bytes from disks; None where the kernel does not count
    written: int | None


class Cgroups(Protocol):
    """The control groups of a node."""

    def find(self) -> dict[str, str]:
        """Give the group of each container that there is, by its short id."""

    def used(self, group: str) -> Used:
        """Read a group. Raises OSError if it has gone."""


def open_tree(root: Path) -> Cgroups:
    """Give the control groups that are mounted here, in the version that they are of."""
    return Version2(root) if (root / "cgroup.controllers").exists() else Version1(root)


class Version2:
    """The one tree."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)

    def find(self) -> dict[str, str]:
        """Give the group of each container that there is, by its short id."""
        return dict(_walk(self._root))

    def used(self, group: str) -> Used:
        """Read a group. Raises OSError if it has gone."""
        at = self._root + group
        memory = rows(read(f"{at}/memory.stat"))
        limit = read(f"{at}/memory.max").strip()
        disk_read, disk_written = _disk_2(read_if_any(f"{at}/io.stat"))
        return Used(
            cpu=int(rows(read(f"{at}/cpu.stat"))["usage_usec"]) / 1e6,
            memory=int(read(f"{at}/memory.current")) - int(memory["inactive_file"]),
            limit=0 if limit == "max" else int(limit),
            oom_kills=int(rows(read(f"{at}/memory.events"))["oom_kill"]),
            read=disk_read,
            written=disk_written,
        )


class Version1:
    """A tree for each controller."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)

    def find(self) -> dict[str, str]:
        """Give the group of each container that there is, by its short id."""
        return dict(_walk(f"{self._root}/memory"))

    def used(self, group: str) -> Used:
        """Read a group. Raises OSError if it has gone."""
        memory = f"{self._root}/memory{group}"
        blkio = f"{self._root}/blkio{group}"
        limit = int(read(f"{memory}/memory.limit_in_bytes"))
        inactive = int(rows(read(f"{memory}/memory.stat"))["total_inactive_file"])
        disk_read, disk_written = _disk_1(read_if_any(f"{blkio}/{BLKIO}"))
        return Used(
            cpu=int(read(f"{self._root}/cpuacct{group}/cpuacct.usage")) / 1e9,
            memory=int(read(f"{memory}/memory.usage_in_bytes")) - inactive,
            limit=limit if limit < UNLIMITED else 0,
            # Before Linux 4.13 it was not counted.
            oom_kills=int(rows(read(f"{memory}/memory.oom_control")).get("oom_kill", 0)),
            read=disk_read,
            written=disk_written,
        )


def _walk(top: str, group: str = "") -> Iterator[tuple[str, str]]:
    """Give short id and group of each container below a group."""
    try:
        with os.scandir(top + group) as entries:
            inner = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return  # it has gone
    for name in inner:
        if match := CONTAINER.fullmatch(name):
            yield short(match[1]), f"{group}/{name}"
        else:
            yield from _walk(top, f"{group}/{name}")


def _disk_2(text: str) -> tuple[int | None, int | None]:
    """Sum lines like ``8:0 rbytes=4096 wbytes=0 rios=1 ...``; a device may have no figures."""
    counts = [
        dict(part.split("=") for part in line.split() if "=" in part) for line in text.splitlines()
    ]
    known = [each for each in counts if "rbytes" in each]
    if not known:
        return None, None
    return sum(int(each["rbytes"]) for each in known), sum(int(each["wbytes"]) for each in known)


def _disk_1(text: str) -> tuple[int | None, int | None]:
    """Sum lines like ``8:0 Read 4096``. Newer kernels count only where a limit was set."""
    devices = [row for row in map(str.split, text.splitlines()) if len(row) == 3]
    if not devices:
        return None, None
    took, gave = (
        sum(int(count) for _, kind, count in devices if kind == wanted)
        for wanted in ("Read", "Write")
    )
    return took, gave
