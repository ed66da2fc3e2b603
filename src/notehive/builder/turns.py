"""Who builds when: so many at once, one of a repository, and the others wait in their order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from notehive.builder import Say
from notehive.errors import NotehiveError


@dataclass(eq=False)
class _Entry:
    repository: str
    runs: bool = False


class Turns:
    """``at_once`` run, and ``most`` in all are taken."""

    def __init__(self, at_once: int, most: int) -> None:
        self.at_once, self.most = at_once, most
        self._entries: list[_Entry] = []
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def turn(self, repository: str, say: Say) -> AsyncIterator[None]:
        """Have a turn; says how many are before it. Raises NotehiveError if too many are."""
        if len(self._entries) >= self.most:
            raise NotehiveError(
                f"builder: {self.most} builds wait already; try again when some have ended"
            )
        entry = _Entry(repository)
        self._entries.append(entry)
        try:
            async with self._changed:
                said = 0
                while not self._may_run(entry):
                    if (before := self._entries.index(entry)) != said:
                        say(f"waiting; {before} before this one")
                        said = before
                    await self._changed.wait()
                entry.runs = True
            yield
        finally:
            self._entries.remove(entry)
            async with self._changed:
                self._changed.notify_all()

    def _may_run(self, entry: _Entry) -> bool:
        before = self._entries[: self._entries.index(entry)]
        return sum(each.runs for each in self._entries) < self.at_once and not any(
            each.repository == entry.repository for each in before
        )
