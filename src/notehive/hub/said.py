"""What a start has said so far, for all who watch it."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypedDict


class Event(TypedDict):
    """One message of a start, as JupyterHub's progress stream takes it."""

    progress: int  # percent
    message: str


class Said:
    """Messages of one start: said once, heard by any number of listeners from the first on."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._news = asyncio.Event()
        self._over = False

    def say(self, progress: int, message: str) -> None:
        """Say something, unless it is what was said last."""
        if not self._events or self._events[-1]["message"] != message:
            self._events.append({"progress": progress, "message": message})
            self._wake()

    def end(self) -> None:
        """Let the listeners go."""
        self._over = True
        self._wake()

    async def hear(self) -> AsyncIterator[Event]:
        """Give every message, those of the past too, until the end."""
        heard = 0
        while True:
            news = self._news
            while heard < len(self._events):
                yield self._events[heard]
                heard += 1
            if self._over:
                return
            await news.wait()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
