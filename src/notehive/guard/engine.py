"""The Docker engine behind its socket, as the guard asks it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, NamedTuple, Self

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, UnixConnector
from yarl import URL

CONNECTIONS = 20
# Less than the minute that clients wait, so that they hear what is wrong.
TIMEOUT = ClientTimeout(total=50, sock_connect=5)
ENDLESS = ClientTimeout(total=None, sock_connect=5)


class Answer(NamedTuple):
    """What the engine answered: an HTTP status, and what its JSON says, if there is any."""

    status: int
    data: Any = None


class Stream(NamedTuple):
    """An answer that is passed on as it comes, and may go on for ever."""

    path: str
    query: str  # encoded


class EngineError(Exception):
    """The engine said no, or nothing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Engine:
    """A client with connections that stay open; to be used with ``async with``."""

    def __init__(self, socket: str) -> None:
        self._session = ClientSession(
            connector=UnixConnector(socket, limit=CONNECTIONS),
            cookie_jar=DummyCookieJar(),
            timeout=TIMEOUT,
        )
        # Of their own: each holds a connection as long as somebody listens.
        self._streams = ClientSession(
            connector=UnixConnector(socket, limit=0, force_close=True),
            cookie_jar=DummyCookieJar(),
            timeout=ENDLESS,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()
        await self._streams.close()

    async def ask(self, method: str, path: str, *, query: str = "", body: Any = None) -> Answer:
        """Make one call; ``query`` is encoded. Raises EngineError for any answer but success."""
        try:
            async with self._session.request(method, _url(path, query), json=body) as response:
                status, raw = response.status, await response.read()
        except (ClientError, OSError) as error:
            raise EngineError(503, f"The Docker engine does not answer: {error!r}") from None
        data = _read(raw)
        if status >= 300:
            said = data.get("message") if isinstance(data, dict) else None
            raise EngineError(status, str(said or "The Docker engine does not say why."))
        return Answer(status, data)

    @asynccontextmanager
    async def stream(self, asked: Stream) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a stream; give what comes of it. Raises EngineError where there is none."""
        try:
            response = await self._streams.get(_url(asked.path, asked.query))
        except (ClientError, OSError) as error:
            raise EngineError(503, f"The Docker engine does not answer: {error!r}") from None
        async with response:
            if response.status >= 300:
                raise EngineError(response.status, "The Docker engine gives no log.")
            yield response.content.iter_any()


def _url(path: str, query: str) -> URL:
    return URL(f"http://engine{path}" + (f"?{query}" if query else ""), encoded=True)


def _read(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None
