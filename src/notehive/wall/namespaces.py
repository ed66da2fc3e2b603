"""The network namespaces of a node's containers, and how to enter one.

They are found by the processes in them, in the node's own /proc. The number of its inode is a
namespace's as long as it exists; then the kernel gives it to the next one, often at once. So one is
known by this number and a process. None is held open: it would outlive its container.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROC = Path("/host/proc")  # see stack.yml
OWN = "/proc/self/ns/net"
CLONE_NEWNET = 0x40000000  # from linux/sched.h


class Namespaces:
    """What is found, and a process of each."""

    def __init__(self, proc: Path = PROC) -> None:
        self.proc = proc
        self.found: dict[int, int] = {}  # a process by the namespace
        self._home = os.open(OWN, os.O_RDONLY)
        self._own = os.fstat(self._home).st_ino
        self._seen: set[int] = set()  # processes that there were at the last look everywhere
        self._settled: set[int] = set()  # and at the one before

    def look(self, *, everywhere: bool) -> None:
        """Find namespaces: of new processes, or of all, and then forget those without any.

        A process may get its namespace a moment after it began, so it counts as new for a while.
        """
        there = {int(name) for name in os.listdir(self.proc) if name.isdigit()}  # noqa: PTH208
        found = {}
        for process in sorted(there if everywhere else there - self._settled, reverse=True):
            if (inode := self._namespace(process)) not in (0, self._own):
                found[inode] = process  # at last the lowest: the container's own, mostly
        if everywhere:
            self.found = found
            self._settled, self._seen = self._seen & there, there
        else:
            self.found |= {
                inode: process
                for inode, process in found.items()
                if self._namespace(self.found.get(inode, 0)) != inode
            }

    def _namespace(self, process: int) -> int:
        try:
            return os.stat(f"{self.proc}/{process}/ns/net").st_ino  # noqa: PTH116 - often
        except OSError:  # it has ended, or is no business of ours
            return 0

    @contextmanager
    def inside(self, inode: int) -> Iterator[bool]:
        """Be in a namespace; gives whether that is so, for it may be gone."""
        try:
            place = os.open(f"{self.proc}/{self.found[inode]}/ns/net", os.O_RDONLY)
        except OSError:
            yield False
            return
        try:
            if os.fstat(place).st_ino != inode:  # the number of the process is another's by now
                yield False
                return
            _enter(place)
            try:
                yield True
            finally:
                _enter(self._home)
        finally:
            os.close(place)

    @contextmanager
    def new(self) -> Iterator[None]:
        """Be in a namespace of one's own, which ends with that."""
        os.unshare(CLONE_NEWNET)  # type: ignore[attr-defined]  # see _enter
        try:
            yield
        finally:
            _enter(self._home)


def _enter(place: int) -> None:
    os.setns(place, CLONE_NEWNET)  # type: ignore[attr-defined]  # since 3.12; the image has 3.13
