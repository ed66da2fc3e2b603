"""When a server was last used: by people, by cells, by programs in terminals.

What a page does by itself is no use: it asks for the state of things as long as it is open.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from notehive.lab import cgroup

BUSY_SHARE = 0.1  # of one CPU; kernels that wait for work use less than a hundredth
READING = ("GET", "HEAD", "OPTIONS")
PAGES = ("lab", "doc", "files", "nbconvert")  # opened by people
# Asked by pages on their own, some with POST: below them nothing is a sign of a person.
POLLED = ("api/metrics", "git", "lab/api", "lab/extensions", "lsp", "nbdime", "notehive")


def by_a_person(method: str, path: str) -> bool:
    """Say whether this request is one that somebody meant; ``path`` is below the base URL."""
    path = path.strip("/")
    if _below(path, POLLED):
        return False
    return method not in READING or _below(path, PAGES)


def _below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def runs_a_program(terminal: Any) -> bool:
    """Say whether a terminado terminal has another program than its shell in the foreground."""
    with contextlib.suppress(OSError):  # it is about to end
        return os.tcgetpgrp(terminal.ptyproc.fd) != terminal.ptyproc.pid
    return False


class CpuMeter:
    """How much CPU is used beside the server: by kernels between cells, by jobs in background."""

    def __init__(
        self,
        used: Callable[[], float] = cgroup.cpu_seconds,
        own: Callable[[], float] = lambda: sum(os.times()[:4]),  # with its children that ended
        *,
        seconds: float,  # over which it is averaged
    ) -> None:
        self._used, self._own = used, own
        self._seconds = seconds
        self._at, self._before = 0.0, 0.0
        self.share = 0.0  # of one CPU, of the last whole period

    def measure(self, now: float) -> float:
        """Take a sample, and give the share of the last whole period."""
        if not self._at:
            self._at, self._before = now, self._others()
        elif now - self._at >= self._seconds:
            others = self._others()
            self.share = (others - self._before) / (now - self._at)
            self._at, self._before = now, others
        return self.share

    def _others(self) -> float:
        return self._used() - self._own()


class Activity:
    """The time at which the server was last used, in seconds since 1970."""

    def __init__(self, meter: CpuMeter, clock: Callable[[], float] = time.time) -> None:
        self._meter, self._clock = meter, clock
        self.latest = clock()

    def note(self, seconds_ago: float = 0) -> None:
        """Note a sign of a person."""
        self.latest = max(self.latest, self._clock() - max(0, seconds_ago))

    def look(self, kernels: Iterable[Any], terminals: Iterable[Any]) -> None:
        """Look at Jupyter's kernel managers and at its terminals."""
        busy = self._meter.measure(self._clock()) > BUSY_SHARE
        for kernel in kernels:
            busy |= getattr(kernel, "execution_state", "") == "busy"
            self._note_event(kernel)
        for terminal in terminals:
            busy |= runs_a_program(terminal)
            self._note_event(terminal)
        if busy:
            self.note()

    def _note_event(self, thing: Any) -> None:
        # Of a kernel the last message that a cell or a widget caused, of a terminal the last
        # character in either direction.
        if (at := getattr(thing, "last_activity", None)) is not None:
            self.latest = max(self.latest, at.timestamp())
