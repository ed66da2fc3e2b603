"""A file on its way from the upstream index: who wants it reads what has come so far."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from notehive.pypi.disk import PART
from notehive.pypi.upstream import UpstreamError

CHUNK = 256 * 1024


class Download:
    """A file that grows in a directory, under a name of its own until it is whole."""

    def __init__(self, directory: Path) -> None:
        self.file = tempfile.NamedTemporaryFile(dir=directory, prefix=PART, delete=False)  # noqa: SIM115 - as long as somebody reads it
        self.path = Path(self.file.name)
        self.length: int | None = None  # if the index says how long it will be
        self.size = 0
        self.begun = self.ended = False
        self.error: Exception | None = None
        self._news = asyncio.Event()

    # Who fetches it

    def begin(self, length: int | None) -> None:
        """Say that it comes."""
        self.begun, self.length = True, length
        self._tell()

    async def write(self, chunk: bytes) -> None:
        """Add to it."""
        await asyncio.to_thread(self._append, chunk)
        self.size += len(chunk)
        self._tell()

    def end(self, error: Exception | None = None) -> None:
        """Say that no more comes, and if so why not all of it came."""
        self.ended, self.error = True, error
        self._tell()

    def _append(self, chunk: bytes) -> None:
        self.file.write(chunk)
        self.file.flush()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    # Who wants it. All of these raise UpstreamError if it does not come.

    async def beginning(self) -> None:
        """Wait until it comes."""
        while not self.begun and not self.ended:
            await self._news.wait()
        self._require_right()

    async def follow(self) -> AsyncIterator[bytes]:
        """Give what is in it, from its beginning, as it comes."""
        position = 0
        while position < self.size or not self.ended:
            if position == self.size:
                await self._news.wait()
                continue
            wanted = min(CHUNK, self.size - position)
            chunk = await asyncio.to_thread(os.pread, self.file.fileno(), wanted, position)
            position += len(chunk)
            yield chunk
        self._require_right()

    def _require_right(self) -> None:
        if self.error:
            raise UpstreamError(str(self.error) or type(self.error).__name__) from self.error
