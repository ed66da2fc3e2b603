"""Old releases go: their directories, and their images by the builder.

What is kept of a model: the current release, the newest ones, and each that was replaced a short
while ago, for runs that were begun with it go on with it. Of a model that has never been
published, all stays.
"""

import asyncio
import json
import logging
import re
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from notehive.api.builder import Builder
from notehive.errors import NotehiveError
from notehive.jobs.release import ROOT

COMMIT = re.compile(r"[0-9a-f]{40}")
ROUND_SECONDS = 24 * 3600.0
RETRY_SECONDS = 60.0  # if the builder is not there yet

log = logging.getLogger("notehive.api")


class Limits(NamedTuple):
    """How many releases stay, and how many days each does that has been replaced."""

    releases: int
    days: int


class Published(NamedTuple):
    """A release on the disk."""

    path: Path
    commit: str
    digest: str
    at: datetime


@dataclass(frozen=True)
class Retention:
    """Looks at all models once a day. ``turn`` gives the lock of a model's releases."""

    limits: Limits
    builder: Builder
    turn: Callable[[str, str], asyncio.Lock]
    root: Path = ROOT

    async def running(self, application: web.Application) -> AsyncIterator[None]:
        """Work as long as an application runs: one of its ``cleanup_ctx``."""
        work = asyncio.create_task(self.work())
        yield
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work

    async def work(self) -> None:
        """Go round for ever."""
        while True:
            seconds = ROUND_SECONDS
            try:
                await self.go_round()
            except (NotehiveError, OSError) as error:
                log.warning("old releases stay for now: %s", error)
                seconds = RETRY_SECONDS
            await asyncio.sleep(seconds)

    async def go_round(self) -> None:
        """Prune each model, and free the registry's disk. Raises NotehiveError, OSError."""
        for current in sorted(self.root.glob("*/*/current")):
            group, name = current.relative_to(self.root).parts[:2]
            try:
                turn = self.turn(group, name)
            except ValueError:
                continue  # a directory that is no model's
            async with turn:
                await self._prune(group, name, current)
        async for _ in self.builder.ask("collect", {}):
            pass

    async def _prune(self, group: str, name: str, current: Path) -> None:
        try:
            found = read(current.parent / "releases")
            stay = kept(found, current.resolve(strict=True), self.limits, datetime.now(UTC))
        except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
            # By what cannot be read, no image is known that has to stay.
            log.warning("%s/%s: all stays, for a release cannot be read: %r", group, name, error)
            return
        for each in found:
            if each not in stay:
                await asyncio.to_thread(shutil.rmtree, each.path)
                log.info("%s/%s: removed the release of %s", group, name, each.commit)
        keep = {each.commit: each.digest for each in stay}
        async for _ in self.builder.ask("prune", {"group": group, "name": name, "keep": keep}):
            pass


def read(directory: Path) -> list[Published]:
    """Give all releases below a directory, the newest first. Raises what a bad one brings."""
    found = [_read(path) for path in directory.iterdir() if COMMIT.fullmatch(path.name)]
    return sorted(found, key=lambda each: (each.at, each.commit), reverse=True)


def _read(path: Path) -> Published:
    told: dict[str, Any] = json.loads((path / "release.json").read_text(encoding="utf-8"))
    digest = told["image"].partition("@")[2]
    if not digest:
        raise ValueError(f"{path.name}: its image is not named by a digest")
    return Published(path, path.name, digest, datetime.fromisoformat(told["published_at"]))


def kept(
    found: Sequence[Published], current: Path, limits: Limits, now: datetime
) -> list[Published]:
    """Give those of a model's releases that stay; ``found`` has the newest first."""
    if current not in [each.path.resolve() for each in found]:
        raise ValueError(f"{current} is no release")
    since = now - timedelta(days=limits.days)
    replaced = [now, *(each.at for each in found)]  # when each was, by the one before it
    return [
        each
        for number, each in enumerate(found)
        if number < limits.releases or replaced[number] > since or each.path.resolve() == current
    ]
