"""The builder as an HTTP server, for those who have its token.

``POST /checks``, ``/builds``, ``/smokes`` and ``/pushes`` take ``{"group", "name", "commit"}``,
``/prunings`` ``{"group", "name", "keep": {commit: digest}}``, ``/collections`` ``{}``. All answer
with lines of JSON as they come: ``{"line": ...}`` of the log, and at last ``{"result": {...}}`` or
``{"error", "exit_code"}``. Who goes away before ends what only they have asked for.
"""

import asyncio
import hmac
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from notehive.builder import Say
from notehive.builder.build import Builds
from notehive.builder.check import Checks
from notehive.builder.collection import collect
from notehive.builder.prune import Prunes
from notehive.builder.push import Pushes
from notehive.builder.smoke import Smokes
from notehive.builder.tidy import tidy
from notehive.builder.wanted import (
    Wanted,
    WantedBuild,
    WantedCheck,
    WantedCollection,
    WantedPruning,
    WantedSmoke,
)
from notehive.builder.works import Event, Works
from notehive.guard.refused import MalformedError
from notehive.guard.strict import parse_json

LONGEST_BODY = 1 << 20
W = TypeVar("W", bound=BaseModel)


class App:
    """What the handlers share."""

    def __init__(
        self,
        builds: Builds,
        checks: Checks,
        smokes: Smokes,
        pushes: Pushes,
        prunes: Prunes,
        token: str,
    ) -> None:
        self.builds, self.checks, self.smokes = builds, checks, smokes
        self.pushes, self.prunes = pushes, prunes
        self.token = token
        self.works = Works("builder")
        self._tidying: asyncio.Task[None] | None = None

    def application(self) -> web.Application:
        """Give the server."""
        application = web.Application(client_max_size=LONGEST_BODY)
        application.add_routes(
            [
                web.get("/health", self.health),
                web.post("/checks", self.check),
                web.post("/builds", self.build),
                web.post("/smokes", self.smoke),
                web.post("/pushes", self.push),
                web.post("/prunings", self.prune),
                web.post("/collections", self.collect),
            ]
        )
        return application

    async def health(self, request: web.Request) -> web.Response:
        """Say that the builder answers, and the engine."""
        await self.builds.engine.ask("GET", "/version")
        return web.Response(text="ok\n")

    async def check(self, request: web.Request) -> web.StreamResponse:
        """Check what is asked for."""
        wanted = await self._read(request, WantedCheck)
        return await _stream(
            request, self.works.follow(wanted, lambda say: self.checks.check(wanted, say))
        )

    async def build(self, request: web.Request) -> web.StreamResponse:
        """Build what is asked for."""
        wanted = await self._read(request, WantedBuild)

        async def build(say: Say) -> Event:
            try:
                return await self.builds.build(wanted, say)
            finally:
                self._tidy()

        return await _stream(request, self.works.follow(wanted, build))

    async def smoke(self, request: web.Request) -> web.StreamResponse:
        """Try what is asked for."""
        wanted = await self._read(request, WantedSmoke)
        return await _stream(
            request, self.works.follow(wanted, lambda say: self.smokes.smoke(wanted, say))
        )

    async def push(self, request: web.Request) -> web.StreamResponse:
        """Push what is asked for."""
        wanted = await self._read(request, Wanted)
        return await _stream(
            request, self.works.follow(wanted, lambda say: self.pushes.push(wanted, say))
        )

    async def prune(self, request: web.Request) -> web.StreamResponse:
        """Remove what is not to be kept."""
        wanted = await self._read(request, WantedPruning)
        key = ("prune", wanted.model)
        return await _stream(
            request, self.works.follow(key, lambda say: self.prunes.prune(wanted, say))
        )

    async def collect(self, request: web.Request) -> web.StreamResponse:
        """Free what the registry's disk holds for nothing."""
        await self._read(request, WantedCollection)
        return await _stream(request, self.works.follow("collect", collect))

    def _tidy(self) -> None:
        if self._tidying is None or self._tidying.done():
            builds = self.builds
            self._tidying = asyncio.create_task(tidy(builds.engine, builds.config.stack))

    async def _read(self, request: web.Request, kind: type[W]) -> W:
        """Give what is asked for. Raises what is answered instead."""
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            raise web.HTTPUnauthorized(text='{"error": "The token is not the builder\'s."}\n')
        try:
            return kind.model_validate(parse_json(await request.read()))
        except MalformedError as error:
            message = str(error)
        except ValidationError as error:
            first = error.errors()[0]
            message = f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}"
        raise web.HTTPBadRequest(
            text=json.dumps({"error": message}) + "\n", content_type="application/json"
        )


async def _stream(request: web.Request, events: AsyncGenerator[Event, None]) -> web.StreamResponse:
    """Answer with events as they come."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    async with aclosing(events) as told:
        async for event in told:
            await response.write(json.dumps(event).encode() + b"\n")
    await response.write_eof()
    return response


async def serve(app: App, port: int) -> None:
    """Serve until cancelled; a handler is cancelled when its client goes away."""
    runner = web.AppRunner(app.application(), access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    try:
        await asyncio.Event().wait()
    finally:
        await app.works.end()
        await runner.cleanup()
