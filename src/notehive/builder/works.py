"""Work that takes a while, each piece with its log: who asks for the same hears the same.

One that nobody listens to any more is ended.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable
from typing import Any

from notehive.builder import AGAIN, Say
from notehive.errors import NotehiveError
from notehive.guard.engine import EngineError

log = logging.getLogger("notehive.builder")

LONGEST_LINE = 4000
LONGEST_LOG = 10_000_000

Event = dict[str, Any]  # {"line": ...}, and at the end {"result": ...} or {"error", "exit_code"}
Start = Callable[[Say], Awaitable[Event]]


class Work:
    """What is done once, for all who listen."""

    def __init__(self, service: str, start: Start) -> None:
        self.service = service
        self.listeners = 0
        self._events: list[Event] = []
        self._room = LONGEST_LOG
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.task = asyncio.create_task(self._run(start))

    def say(self, line: str) -> None:
        """Add a line to the log; from any thread."""
        self._loop.call_soon_threadsafe(self._add_line, line)

    async def events(self) -> AsyncIterator[Event]:
        """Yield all that has been said, and then what is."""
        place = 0
        while True:
            while place < len(self._events):
                yield (event := self._events[place])
                if "line" not in event:
                    return
                place += 1
            await self._news.wait()

    async def _run(self, start: Start) -> None:
        try:
            last: Event = {"result": await start(self.say)}
        except asyncio.CancelledError:
            said = f"{self.service}: it was ended meanwhile; {AGAIN}"
            self._add({"error": said, "exit_code": 1})
            raise
        except NotehiveError as error:
            last = {"error": str(error), "exit_code": error.exit_code}
        except EngineError as error:
            last = {"error": f"Docker engine: {error}", "exit_code": 1}
        except Exception:
            log.exception("a mistake in the service")
            said = f"{self.service}: it failed; see `./notehive logs {self.service}`"
            last = {"error": said, "exit_code": 1}
        await asyncio.sleep(0)  # lines that threads have said come first
        self._add(last)

    def _add_line(self, line: str) -> None:
        if self._room <= 0:
            return
        self._room -= len(line)
        if self._room <= 0:
            line = "... the log is too long; what follows is left out"
        self._add({"line": line[:LONGEST_LINE]})

    def _add(self, event: Event) -> None:
        self._events.append(event)
        self._news.set()
        self._news = asyncio.Event()


class Works:
    """All that run in a service of this name."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._running: dict[Hashable, Work] = {}

    async def follow(self, key: Hashable, start: Start) -> AsyncGenerator[Event, None]:
        """Start what is called so, unless it runs, and yield what it says."""
        work = self._running.get(key) or self._begin(key, start)
        work.listeners += 1
        try:
            async for event in work.events():
                yield event
        finally:
            work.listeners -= 1
            if not work.listeners and not work.task.done():
                self._forget(key, work)  # who asks now, asks for another
                work.task.cancel()

    async def end(self) -> None:
        """End all, and wait until nothing of them is left."""
        tasks = [work.task for work in self._running.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _begin(self, key: Hashable, start: Start) -> Work:
        work = self._running[key] = Work(self.service, start)
        work.task.add_done_callback(lambda _: self._forget(key, work))
        return work

    def _forget(self, key: Hashable, work: Work) -> None:
        if self._running.get(key) is work:
            del self._running[key]
