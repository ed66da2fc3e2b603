"""Packs repositories anew after pushes, one at a time and behind all else."""

import asyncio
import contextlib
import logging
from pathlib import Path

log = logging.getLogger(__name__)

COMMAND = ("nice", "-n", "19", "ionice", "--class", "idle", "git")
LIMIT = 3600.0  # seconds, after which it is given up until the next push


class Housekeeping:
    """Repositories that wait for it; git itself says whether one needs it."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[Path] = asyncio.Queue()
        self.known: set[Path] = set()

    def want(self, repository: Path) -> None:
        """Put one at the end of the queue, unless it is there."""
        if repository not in self.known:
            self.known.add(repository)
            self.waiting.put_nowait(repository)

    async def work(self) -> None:
        """Go through the queue for ever."""
        while True:
            repository = await self.waiting.get()
            self.known.discard(repository)
            try:
                await asyncio.wait_for(collect(repository), LIMIT)
            except (OSError, TimeoutError) as error:
                log.warning("%s: not packed: %r", repository, error)


async def collect(repository: Path) -> None:
    """Run git's own housekeeping, which does nothing where little has come since the last one."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *("-c", "gc.autoDetach=false", "-C", str(repository), "gc", "--auto", "--quiet"),
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        if code := await process.wait():
            log.warning("%s: git gc ended with %s", repository, code)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
