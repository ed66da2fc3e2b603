"""The Docker engine behind its socket, as the guard asks it."""

import json
from types import TracebackType
from typing import Any, NamedTuple, Self

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, UnixConnector
from yarl import URL

CONNECTIONS = 20
# Less than the minute that clients wait, so that they hear what is wrong.
TIMEOUT = ClientTimeout(total=50, sock_connect=5)


class Answer(NamedTuple):
    """What the engine answered: an HTTP status, and what its JSON says, if there is any."""

    status: int
    data: Any = None


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

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def ask(self, method: str, path: str, *, query: str = "", body: Any = None) -> Answer:
        """Make one call; ``query`` is encoded. Raises EngineError for any answer but success."""
        url = URL(f"http://engine{path}" + (f"?{query}" if query else ""), encoded=True)
        try:
            async with self._session.request(method, url, json=body) as response:
                status, raw = response.status, await response.read()
        except (ClientError, OSError) as error:
            raise EngineError(503, f"The Docker engine does not answer: {error!r}") from None
        data = _read(raw)
        if status >= 300:
            said = data.get("message") if isinstance(data, dict) else None
            raise EngineError(status, str(said or "The Docker engine does not say why."))
        return Answer(status, data)


def _read(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None
