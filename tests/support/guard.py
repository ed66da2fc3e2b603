"""A guard that listens, before a stand-in of the engine: it keeps what reaches it."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from notehive.guard import hub
from notehive.guard.app import Guard
from notehive.guard.calls import Call
from notehive.guard.engine import Engine
from notehive.hub.config import HubConfig


class Reached(NamedTuple):
    """One request that reached the engine."""

    method: str
    path: str  # with its query, as it came
    body: bytes


@dataclass
class StandIn:
    """Answers GET by what a test has set for a path; keeps all, and agrees to all changes."""

    found: dict[str, Any] = field(default_factory=dict)
    reached: list[Reached] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    silent: bool = False  # whether it ends connections without an answer

    def has(self, kind: str, name: str, identity: str, labels: dict[str, str]) -> None:
        """Have a service or secret, by its name and its id."""
        spec = {"Name": name, "Labels": labels, "TaskTemplate": {"ContainerSpec": {"Env": ["K=V"]}}}
        for key in (name, identity):
            self.found[f"/{kind}/{key}"] = {"ID": identity, "Spec": spec}

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer as the engine does."""
        self.reached.append(Reached(request.method, request.raw_path, await request.read()))
        self.headers.append(dict(request.headers))
        if self.silent and request.transport:
            request.transport.abort()
        path = request.raw_path.partition("?")[0]
        path = path if path == "/version" else "/" + path.split("/", 2)[2]
        if request.method == "POST":
            return web.json_response({"ID": "new", "Warnings": None, "More": "x"}, status=201)
        if path not in self.found:
            return web.json_response({"message": f"{path} not found"}, status=404)
        if request.method == "DELETE":
            return web.Response(status=200)
        if isinstance(self.found[path], bytes):
            return web.Response(body=self.found[path])
        return web.json_response(self.found[path])

    @property
    def changes(self) -> list[Reached]:
        """What would have changed something."""
        return [each for each in self.reached if each.method != "GET"]


class Reply(NamedTuple):
    """What the guard answered."""

    status: int
    body: bytes

    @property
    def data(self) -> Any:
        """The JSON of it."""
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """What an error says."""
        return str(self.data["message"])


@dataclass
class Running:
    """A guard that listens."""

    port: int
    engine: StandIn

    @property
    def address(self) -> str:
        """What DOCKER_HOST would say."""
        return f"tcp://127.0.0.1:{self.port}"

    def send(self, raw: bytes) -> Reply:
        """Send bytes as they are; give the first answer, status 0 for none.

        They ask for the end of the connection, or bring it about.
        """

        async def talk() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(raw)
            answer = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            return answer

        head, _, body = asyncio.run(talk()).partition(b"\r\n\r\n")
        return Reply(int(head.split(b" ", 2)[1]) if head else 0, body)

    def ask(self, method: str, target: str, body: Any = None, **headers: str) -> Reply:
        """Make one request, its target and body (bytes or JSON) as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        lines = [f"{method} {target} HTTP/1.1", "Host: guard", "Connection: close"]
        lines += [f"{key.replace('_', '-')}: {value}" for key, value in headers.items()]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(raw)}"]
        return self.send("\r\n".join([*lines, "", ""]).encode() + raw)


@contextmanager
def running(
    config: HubConfig,
    directory: Path,
    port: int = 0,
    calls: Callable[[HubConfig], Sequence[Call]] = hub.calls,
) -> Iterator[Running]:
    """A client's guard, in a thread of its own, on any free port unless one is given."""
    stand_in, socket = StandIn(), str(directory / "docker.sock")
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    started: list[int] = []
    ready = threading.Event()

    async def serve() -> None:
        engine = web.ServerRunner(web.Server(stand_in.answer))
        await engine.setup()
        await web.UnixSite(engine, socket).start()
        async with Engine(socket) as client:
            guard = web.ServerRunner(web.Server(Guard(calls(config), client)))
            await guard.setup()
            await web.TCPSite(guard, "127.0.0.1", port).start()
            started.append(guard.addresses[0][1])
            ready.set()
            await stop.wait()
            await guard.cleanup()
        await engine.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield Running(started[0], stand_in)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
