"""Which kernels the memory limit has ended."""

from collections.abc import Mapping
from typing import NamedTuple

SETTLED_SECONDS = 5.0  # a large process needs a moment to vanish after it was killed


class Process(NamedTuple):
    """A kernel's process: its id, and how it ended (None while it runs; -9 if it was killed)."""

    pid: int
    code: int | None


class Deaths:
    """Brings the count of killed processes together with kernels that are gone."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._known: dict[str, int] = {}
        self._unexplained, self._since = 0, 0.0

    def look(self, now: float, count: int, kernels: Mapping[str, Process]) -> list[str]:
        """Give what was ended since the last look: ids of kernels, "" for another program.

        ``count``: the container's count of killed processes; ``kernels``: their processes by id.
        """
        if count > self._count:
            self._unexplained += count - self._count
            self._count, self._since = count, now
        gone = [
            kernel
            for kernel, pid in self._known.items()
            if kernel in kernels and (kernels[kernel].pid != pid or kernels[kernel].code == -9)
        ]
        ended = gone[: self._unexplained]
        self._unexplained -= len(ended)
        if self._unexplained and now - self._since >= SETTLED_SECONDS:
            ended.append("")
            self._unexplained = 0
        self._known = {name: each.pid for name, each in kernels.items() if each.code is None}
        return ended
