"""How much each directory holds, measured in the background as cheaply as can be."""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path

from notehive.storage.directories import Directories

log = logging.getLogger(__name__)

INTERVAL = 900.0  # seconds between two rounds
# After each measurement comes a pause of this many times its length: disks are for the users.
PAUSE = 5.0
LIMIT = 1800.0  # seconds, after which a measurement is given up


@dataclass
class Usage:
    """The last measurements, in bytes by kind and name."""

    directories: Directories
    used: dict[tuple[str, str], int] = field(default_factory=dict)
    _running: dict[tuple[str, str], "asyncio.Task[int]"] = field(default_factory=dict)

    async def measure(self, kind: str, name: str) -> int:
        """Measure one directory, or join its measurement under way; give bytes."""
        key = kind, name
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(self._measure(key))
            task.add_done_callback(lambda _: self._running.pop(key))
        # Whoever asked may give up waiting; the measurement goes on.
        return await asyncio.shield(task)

    async def _measure(self, key: tuple[str, str]) -> int:
        self.used[key] = await disk_usage(self.directories.path(*key))
        return self.used[key]

    async def measure_all_the_time(self) -> None:
        """Measure one directory after the other, for ever."""
        while True:
            there = list(self.directories.all())
            for key in self.used.keys() - set(there):
                del self.used[key]
            for key in there:
                started = time.monotonic()
                try:
                    await self.measure(*key)
                except (OSError, ValueError, TimeoutError) as error:
                    log.warning("%s/%s: not measured: %s", *key, error)
                await asyncio.sleep(PAUSE * (time.monotonic() - started))
            await asyncio.sleep(INTERVAL)


async def disk_usage(path: Path) -> int:
    """Give the bytes that a directory holds on its disk; hard links count once.

    What its owner has closed to himself is not counted.
    """
    process = await asyncio.create_subprocess_exec(
        *("nice", "-n", "19", "ionice", "--class", "idle"),
        *("du", "--summarize", "--one-file-system", "--block-size=1", "--", str(path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), LIMIT)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    return int(output.split()[0])
