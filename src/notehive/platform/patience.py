"""Waiting until something is done, with an end."""

import time
from collections.abc import Callable
from typing import TypeVar

from notehive.errors import NotehiveError

PAUSE = 0.3  # seconds between two looks, at least
REST = 3  # as many times as long as a look takes: it costs what is waited for processor time
T = TypeVar("T")


def until_none(
    left: Callable[[], T],
    seconds: float,
    failure: Callable[[T], str],
    say: Callable[[T], None] = lambda _: None,
) -> None:
    """Look until nothing is left to wait for.

    ``say`` is told what is left. Raises NotehiveError with what ``failure`` says of it when the
    time is up.
    """
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if not (rest := left()):
            return
        now = time.monotonic()
        if now > deadline:
            raise NotehiveError(failure(rest))
        say(rest)
        time.sleep(max(PAUSE, REST * (now - began)))
