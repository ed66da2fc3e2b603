"""The package index as it listens, before a stand-in of the index upstream."""

import asyncio
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from aiohttp import ClientSession, web

from notehive.gate.headers import ADMIN, EDITS, KEY, READS, USER
from notehive.pypi import disk
from notehive.pypi.app import make_app
from notehive.pypi.cache import Cache
from notehive.pypi.index import Index
from notehive.pypi.page import JSON
from notehive.pypi.shelf import Shelf
from notehive.pypi.upstream import Upstream
from notehive.settings import EVERYONE
from tests.images.wheel import wheel

GROUPS = ("lab", "guild", EVERYONE)
LIMIT = 100_000


@dataclass
class StandIn:
    """An index with the files of a test, below `/simple/`; it keeps what it is asked."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)  # by project and name
    asked: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    page: dict[str, Any] = field(default_factory=dict)  # instead of the right one
    silent: bool = False  # whether it ends connections without an answer
    cut: bool = False  # whether it ends them in the middle of a file
    gate: asyncio.Event = field(default_factory=asyncio.Event)  # before the second half of a file

    def has(self, project: str, version: str = "1.0", **more: Any) -> bytes:
        """Have a wheel; give it."""
        made = wheel(project, version, **more)
        self.files.setdefault(project, {})[f"{project}-{version}-py3-none-any.whl"] = made
        return made

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer as an index does that knows JSON."""
        self.asked.append(request.path)
        self.logins.append(request.headers.get("Authorization", ""))
        if self.silent and request.transport:
            request.transport.abort()
        _, root, project, name = f"{request.path}///".split("/")[:4]
        if project not in self.files:
            raise web.HTTPNotFound
        if root == "files":
            return await self._file(request, self.files[project][name.removesuffix(".metadata")])
        described = [
            {
                "filename": filename,
                "url": f"../../files/{project}/{filename}",
                "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
                "core-metadata": True,
            }
            for filename, content in self.files[project].items()
        ]
        page = {"meta": {"api-version": "1.0"}, "name": project, "files": described, **self.page}
        etag = f'"{len(described)}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304)
        return web.json_response(page, content_type=JSON, headers={"ETag": etag})

    async def _file(self, request: web.Request, content: bytes) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = len(content)
        await response.prepare(request)
        await response.write(content[: len(content) // 2])
        await self.gate.wait()
        if self.cut and request.transport:
            request.transport.abort()
        await response.write(content[len(content) // 2 :])
        return response


@dataclass
class Running:
    """An index that listens."""

    port: int
    upstream: StandIn
    upstream_port: int
    directory: Path
    loop: asyncio.AbstractEventLoop

    def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        edits: str = EVERYONE,
        reads: str = "",
        admin: str = "",
        key: str = "key",
        user: str = "ana",
        **more: Any,
    ) -> requests.Response:
        """Make one request as Nginx does, for a user of these groups."""
        said = {KEY: key, USER: user, ADMIN: admin, EDITS: edits, READS: reads, "Accept": JSON}
        headers = {**said, **more.pop("headers", {})}
        url = f"http://127.0.0.1:{self.port}{path}"
        return requests.request(method, url, headers=headers, timeout=10, **more)

    def files(self, path: str, **options: Any) -> list[str]:
        """Give the names of the files that a page tells of."""
        page = self.ask(path, **options)
        assert page.status_code == 200, page.text
        return [file["filename"] for file in page.json()["files"]]

    def send(self, group: str, project: str, version: str = "1.0", **options: Any) -> Any:
        """Upload a wheel to a group as one of its members, as twine does."""
        name = options.pop("filename", f"{project}-{version}-py3-none-any.whl")
        content = options.pop("content", None) or wheel(project, version, **options.pop("of", {}))
        form = {":action": "file_upload", "name": project, **options.pop("form", {})}
        sent = {"edits": group, "data": form, "files": {"content": (name, content)}, **options}
        return self.ask(f"/{group}/", "POST", **sent)

    def set(self, **state: bool) -> None:
        """Change how the stand-in answers."""
        for name, value in state.items():
            setattr(self.upstream, name, value)

    def go_on(self) -> None:
        """Let the second half of files come."""
        self.loop.call_soon_threadsafe(self.upstream.gate.set)

    def age(self) -> None:
        """Have all pages that are kept be old."""
        for page in (self.directory / "pages").iterdir():
            os.utime(page, (0, 0))

    @property
    def kept(self) -> list[str]:
        """What is in the cache of files."""
        return sorted(path.name for path in (self.directory / "files").iterdir())


@contextmanager
def running(directory: Path, login: str = "") -> Iterator[Running]:
    """The index, in a thread of its own."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    started: list[Running] = []
    ready = threading.Event()
    places = {name: disk.directory(directory / name) for name in ("pages", "files", "groups", "in")}

    async def listen(app: web.Application) -> tuple[web.AppRunner, int]:
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, runner.addresses[0][1]

    async def serve() -> None:
        stand_in, theirs = StandIn(), web.Application()
        stand_in.gate.set()
        theirs.router.add_get("/{path:.*}", stand_in.answer)
        first, upstream_port = await listen(theirs)
        async with ClientSession() as session:
            address = f"http://127.0.0.1:{upstream_port}/simple"
            upstream = Upstream(session, address, login, places["pages"])
            index = Index(
                groups=GROUPS,
                shelf=Shelf(places["groups"]),
                upstream=upstream,
                cache=Cache(places["files"], LIMIT, upstream),
                incoming=places["in"],
            )
            second, port = await listen(make_app(index, "key"))
            started.append(Running(port, stand_in, upstream_port, directory, loop))
            ready.set()
            await stop.wait()
            await second.cleanup()
        await first.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield started[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
