"""A step in a process of its own: its memory is free afterwards, as after a job."""

import multiprocessing
import os
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import Any

from notehive.models.smoke.clock import Clock
from notehive.models.step import memory, running
from notehive.models.step.failure import Stopped
from notehive.models.step.log import Log

FORK = multiprocessing.get_context("fork")  # which has imported already what a step needs first
END_SECONDS = 30.0  # to say where it was, and to end, when its time is over


def run(name: str, work: Callable[[], None], clock: Clock, log: Log) -> str:
    """Do the work of what is called so; give why it failed, nothing if it did not."""
    here, there = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_work, args=(work, there, clock.over))
    process.start()
    there.close()
    if is_late := not _has_ended(process, clock.left):
        process.terminate()
        if not _has_ended(process, END_SECONDS):
            process.kill()
            _has_ended(process)
    with here, suppress(EOFError):
        if here.poll():
            return str(here.recv())
    log.interrupted()
    why = clock.over if is_late else memory.reached()
    return f"{name}: {why or f'its process ended with {process.exitcode}'}"


def _has_ended(process: ForkProcess, seconds: float | None = None) -> bool:
    """Wait for the end of this very process: what it has begun may go on, and `join` waits for it.

    Say whether it came within so many seconds.
    """
    assert process.pid is not None  # noqa: S101 - it was started
    descriptor = os.pidfd_open(process.pid)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def _work(work: Callable[[], None], there: Connection, over: str) -> None:
    signal.signal(signal.SIGTERM, partial(_stop, over))
    there.send(running.reason(work))
    running.leave("", Log())


def _stop(why: str, number: int, *_: Any) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise Stopped(why)
