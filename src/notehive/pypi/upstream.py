"""The upstream index. Its pages are kept on disk, for when it does not answer."""

import asyncio
import json
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from weakref import WeakValueDictionary

from aiohttp import ClientError, ClientSession, ClientTimeout, encode_basic_auth
from yarl import URL

from notehive.pypi import page as pages
from notehive.pypi.disk import read_json, replace
from notehive.pypi.page import Source

FRESH_SECONDS = 60  # so long a page is given without asking
DOWN_SECONDS = 30  # so long an index that did not answer is not asked for pages that are kept
PAGE_TIMEOUT = ClientTimeout(total=10, sock_connect=5)  # pip waits for 15 s
FILE_TIMEOUT = ClientTimeout(total=None, sock_connect=5, sock_read=60)

log = logging.getLogger("notehive.pypi")


class UpstreamError(Exception):
    """The upstream index did not give what it was asked for."""


class Upstream:
    """An index at an address, with ``login`` as it stands in a URL: `user:password`, or nothing.

    ``directory`` has two files of each project: its page as clients get it, and where its files
    are.
    """

    def __init__(self, session: ClientSession, index: str, login: str, directory: Path) -> None:
        self.session = session
        self.index = URL(index.rstrip("/") + "/", encoded=True)
        user, _, password = map(unquote, login.partition(":"))
        shown = {"Authorization": encode_basic_auth(user, password, "utf-8")} if login else {}
        self.login: Mapping[str, str] = shown
        self.directory = directory
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._down_until = 0.0

    async def page(self, name: str) -> Path | None:
        """Give a file with a project's page in JSON, None if the index has no such project.

        Raises UpstreamError if the index does not answer, and no page is kept.
        """
        kept = self.directory / f"{name}.json"
        lock = self._locks.setdefault(name, asyncio.Lock())
        async with lock:
            there = kept.exists()
            if there and (_is_fresh(kept) or time.monotonic() < self._down_until):
                return kept
            try:
                return await self._ask(name, kept)
            except (ClientError, TimeoutError, UpstreamError, ValueError) as error:
                why = f"{self.index.host}: {str(error) or type(error).__name__}"
                log.warning("%s: %s", name, why)
                if not there:
                    raise UpstreamError(why) from error
                self._down_until = time.monotonic() + DOWN_SECONDS
                return kept

    async def _ask(self, name: str, kept: Path) -> Path | None:
        """Ask the index for a page, and keep it."""
        places = self._places(name)
        known = read_json(places) if kept.exists() else {}
        headers = {"Accept": pages.ACCEPT}
        if known.get("index") == str(self.index) and known["etag"]:
            headers["If-None-Match"] = known["etag"]
        url = URL(f"{self.index}{name}/", encoded=True)
        async with self._get(url, headers, PAGE_TIMEOUT) as answer:
            if answer.status == 304:
                os.utime(kept)
                return kept
            if answer.status in (404, 410):
                kept.unlink(missing_ok=True)
                return None
            if answer.status != 200:
                raise UpstreamError(f"answers {answer.status}")
            body = await answer.read()
        kind = answer.headers.get("Content-Type", "")
        told = {"index": str(self.index), "etag": answer.headers.get("ETag", "")}
        await asyncio.to_thread(self._keep, name, body, kind, str(answer.url), told)
        return kept

    def _keep(self, name: str, body: bytes, kind: str, url: str, told: dict[str, Any]) -> None:
        page = pages.read(body, kind, url)
        # First where the files are: whoever reads the new page finds them.
        replace(self._places(name), json.dumps({**told, "files": pages.sources(page)}).encode())
        given = json.dumps(pages.beside(page, name), separators=(",", ":"))
        replace(self.directory / f"{name}.json", given.encode())

    def _places(self, name: str) -> Path:
        return self.directory / f"{name}.places"

    async def source(self, name: str, filename: str) -> Source | None:
        """Give where a file of a project is, None if the index has none of this name."""
        if await self.page(name) is None:
            return None
        known = await asyncio.to_thread(read_json, self._places(name))
        found = known["files"].get(filename)
        return Source(*found) if found else None

    def open(self, source: Source) -> Any:
        """Ask for a file, as it is."""
        url = URL(source.url, encoded=True)
        return self._get(url, {"Accept-Encoding": "identity"}, FILE_TIMEOUT)

    def _get(self, url: URL, headers: Mapping[str, str], timeout: ClientTimeout) -> Any:
        """Ask for something; only the index itself is shown the login."""
        login = self.login if url.origin() == self.index.origin() else {}
        return self.session.get(url, headers={**headers, **login}, timeout=timeout)


def _is_fresh(kept: Path) -> bool:
    return kept.stat().st_mtime > time.time() - FRESH_SECONDS
