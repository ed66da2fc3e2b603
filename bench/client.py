"""The measuring client: a user who starts a server and runs a first cell in it.

The same code for every hub. It does not poll: the hub answers a start when the server is ready,
or, after ten seconds, tells by its events when that is.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from tests.support.kernel import CellError, Kernel

TIMEOUT = 120.0  # seconds from the request to the first result; later is a failure
PAUSE = 0.02  # before a request is made again
NO_TIMEOUT = ClientTimeout(total=None)


class RefusedError(Exception):
    """The hub did not do what it was asked; the message is its reason."""


class Attempt(NamedTuple):
    """One start: seconds until the server was ready, until the first result; or why there is none.

    They count from the moment of asking.
    """

    ready: float | None
    result: float | None
    failure: str = ""


@dataclass(frozen=True)
class Hub:
    """A JupyterHub; ``host`` is the name that it is called by, ``token`` an administrator's."""

    session: ClientSession
    url: str
    host: str
    token: str

    def headers(self, token: str) -> dict[str, str]:
        """Give what goes with each request of the owner of this token."""
        return {"Host": self.host, "Authorization": f"Bearer {token}"}

    async def ask(
        self, method: str, path: str, body: Any = None, *, token: str = ""
    ) -> tuple[int, Any]:
        """Make one request to the REST API; give status and JSON."""
        async with self.session.request(
            method,
            f"{self.url}/hub/api{path}",
            json=body,
            headers=self.headers(token or self.token),
            timeout=NO_TIMEOUT,
        ) as answer:
            return answer.status, await _json(answer)

    async def must(self, method: str, path: str, body: Any = None) -> Any:
        """Make one request that has to succeed; give its JSON."""
        status, said = await self.ask(method, path, body)
        if status >= 300:
            raise RefusedError(f"{method} {path}: {status} {said}")
        return said

    async def add_user(self, name: str, options: Mapping[str, str]) -> "User":
        """Make a user, with a token of all that the user may do."""
        await self.must("POST", f"/users/{name}")
        made = await self.must("POST", f"/users/{name}/tokens", {"note": "benchmark"})
        return User(self, name, made["token"], options)


@dataclass
class User:
    """A user of a hub; ``options`` go with each start."""

    hub: Hub
    name: str
    token: str = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""  # what went wrong last, and was tried again

    @property
    def _server(self) -> str:
        return f"/users/{self.name}/server"

    async def spawn(self) -> Attempt:
        """Start the server and run a first cell in it."""
        return await self._timed(stop_first=False)

    async def restart(self) -> Attempt:
        """Stop the server, start it again as soon as the hub takes it, run a first cell in it."""
        return await self._timed(stop_first=True)

    async def _timed(self, *, stop_first: bool) -> Attempt:
        asked = time.monotonic()
        ready: float | None = None
        self.trouble = ""
        try:
            async with asyncio.timeout(TIMEOUT):
                if stop_first:
                    await self._ask_stop()
                await self._start()
                ready = _since(asked)
                await self._run_cell()
                return Attempt(ready, _since(asked))
        except TimeoutError:
            wanted = "no server" if ready is None else "no result of a kernel"
            last = f"; last: {self.trouble}" if self.trouble else ""
            return Attempt(ready, None, f"{wanted} within {TIMEOUT:.0f} s{last}")
        except (RefusedError, CellError, ClientError) as error:
            return Attempt(ready, None, str(error) or type(error).__name__)

    async def _start(self) -> None:
        while True:
            status, said = await self.hub.ask(
                "POST", self._server, dict(self.options), token=self.token
            )
            if status == 201:
                return
            if status == 202:
                await self._await_ready()
                return
            if "pending stop" not in str(said):
                raise RefusedError(f"start: {status} {said}")
            await asyncio.sleep(PAUSE)

    async def _await_ready(self) -> None:
        async with self.hub.session.get(
            f"{self.hub.url}/hub/api{self._server}/progress",
            headers=self.hub.headers(self.token),
            timeout=NO_TIMEOUT,
        ) as events:
            if events.status != 200:
                raise RefusedError(f"progress: {events.status} {await _json(events)}")
            async for line in events.content:
                if line.startswith(b"data:"):
                    event = json.loads(line.removeprefix(b"data:"))
                    if event.get("ready"):
                        return
                    if event.get("failed"):
                        raise RefusedError(event["message"])
        raise RefusedError("progress: ended before the server was ready")

    async def _run_cell(self) -> None:
        server = f"{self.hub.url}/user/{self.name}"
        while True:
            try:
                async with Kernel(self.hub.session, server, self.hub.headers(self.token)) as kernel:
                    result = await kernel.execute("1+1")
                    if result == "2":
                        return
                    raise RefusedError(f"1+1 is {result!r}")
            except (CellError, ClientError) as error:
                # As a page that is loaded again: what is in front of a new server may be late.
                self.trouble = str(error)
            await asyncio.sleep(PAUSE)

    async def _ask_stop(self) -> int:
        status, said = await self.hub.ask("DELETE", self._server, token=self.token)
        if status not in (202, 204, 404):  # 202: not yet; 404: there is none
            raise RefusedError(f"stop: {status} {said}")
        return status

    async def stop(self) -> None:
        """Stop the server, whatever state it is in; not measured."""
        async with asyncio.timeout(TIMEOUT):
            while await self._ask_stop() == 202:
                await asyncio.sleep(10 * PAUSE)


def _since(moment: float) -> float:
    return round(time.monotonic() - moment, 4)


async def _json(answer: ClientResponse) -> Any:
    """Give what an answer says: the message of an error, else its JSON or text."""
    text = await answer.text()
    try:
        said = json.loads(text or "null")
    except ValueError:
        return text[:200]
    return said["message"] if answer.status >= 400 and "message" in said else said
