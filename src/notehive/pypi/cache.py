"""Files of the upstream index, kept by what is in them."""

import asyncio
import hashlib
import logging
import os
import time
from pathlib import Path

from aiohttp import ClientError

from notehive.pypi.disk import PART
from notehive.pypi.download import CHUNK, Download
from notehive.pypi.page import Source
from notehive.pypi.upstream import Upstream, UpstreamError

log = logging.getLogger("notehive.pypi")


class Cache:
    """Files of an index in a directory, at most ``limit`` bytes of them.

    Those that nobody has wanted for longest go first.
    """

    def __init__(self, directory: Path, limit: int, upstream: Upstream) -> None:
        self.directory, self.limit, self.upstream = directory, limit, upstream
        self._running: dict[str, Download] = {}
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself would forget them

    def find(self, source: Source) -> Path | None:
        """Give a file that is here."""
        path = self.directory / _key(source)
        try:
            # Used now. When it was written stays: clients know what they have by that.
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
        except FileNotFoundError:
            return None
        return path

    def load(self, source: Source) -> Download:
        """Have a file come; all who want it meanwhile have the same."""
        key = _key(source)
        if key not in self._running:
            self._running[key] = Download(self.directory)
            task = asyncio.create_task(self._fetch(source, key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return self._running[key]

    async def _fetch(self, source: Source, key: str) -> None:
        download = self._running[key]
        try:
            await self._write(source, download)
            download.path.replace(self.directory / key)
            download.end()
            await asyncio.to_thread(self._make_room)
        except (ClientError, TimeoutError, UpstreamError, OSError) as error:
            log.warning("%s: %s", source.url.partition("?")[0], str(error) or type(error).__name__)
            download.end(error)
        finally:
            del self._running[key]
            download.path.unlink(missing_ok=True)

    async def _write(self, source: Source, download: Download) -> None:
        digest = hashlib.sha256()
        async with self.upstream.open(source) as answer:
            if answer.status != 200:
                raise UpstreamError(f"answers {answer.status}")
            encoded = "Content-Encoding" in answer.headers  # so it has another length
            download.begin(None if encoded else answer.content_length)
            async for chunk in answer.content.iter_chunked(CHUNK):
                digest.update(chunk)
                await download.write(chunk)
        if source.sha256 and digest.hexdigest() != source.sha256:
            raise UpstreamError("is not the file whose digest the index tells")

    def _make_room(self) -> None:
        """Remove what is over the limit."""
        found = [
            (path.stat().st_atime_ns, path.stat().st_size, path)
            for path in self.directory.iterdir()
            if not path.name.startswith(PART)
        ]
        over = sum(size for _, size, _ in found) - self.limit
        for _, size, path in sorted(found):
            if over <= 0:
                return
            path.unlink()
            over -= size


def _key(source: Source) -> str:
    """Give the name of a file here: its digest or, if the index does not tell it, its address's."""
    return source.sha256 or hashlib.sha256(source.url.encode()).hexdigest()
