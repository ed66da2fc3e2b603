"""The guard as an HTTP server: reads a request, finds the call that it is, answers in JSON."""

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from notehive.guard.calls import Asked, Call
from notehive.guard.engine import Answer, Engine, EngineError, Stream
from notehive.guard.refused import MalformedError, RefusedError
from notehive.guard.strict import parse_json

BODY_SECONDS = 10  # for a body to arrive; how long it may be is aiohttp's default, 1 MiB
# The engine makes a raw connection of what has the first; the second hides what a body says.
ODD_HEADERS = ("Upgrade", "Content-Encoding")

log = logging.getLogger("notehive.guard")


class Guard:
    """What one client may ask of the engine, as an aiohttp handler."""

    def __init__(self, calls: Sequence[Call], engine: Engine) -> None:
        self.calls = calls
        self.engine = engine

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; an error is ``{"message": ...}``, as the engine says it."""
        try:
            call, asked = await self._read(request)
            answer = await call.answer(self.engine, asked)
            if isinstance(answer, Stream):
                return await self._pass_on(answer, request)
            return _respond(answer)
        except RefusedError as error:
            log.warning("refused %s %r: %s", request.method, request.raw_path, error)
            return _fail(400 if isinstance(error, MalformedError) else 403, str(error))
        except EngineError as error:
            return _fail(error.status, str(error))

    async def _read(self, request: web.BaseRequest) -> tuple[Call, Asked]:
        """Find the call and read its parts. Nothing of the request itself is sent on."""
        if odd := [name for name in ODD_HEADERS if name in request.headers]:
            raise RefusedError(f"The guard takes no requests with the header {odd[0]}.")
        # As it came: decoded or tidied, it could be another path than the engine's.
        path, _, query = request.raw_path.partition("?")
        for call in self.calls:
            if match := call.match(request.method, path):
                return call, Asked(
                    version=match["version"],
                    name=match["name"],
                    filters=call.read_query(query),
                    body=await self._body(request, call),
                )
        raise RefusedError(f"{request.method} {path} is not a call that the guard lets through.")

    async def _pass_on(self, stream: Stream, request: web.BaseRequest) -> web.StreamResponse:
        """Pass on what the engine says, as it says it."""
        async with self.engine.stream(stream) as chunks:
            response = web.StreamResponse()
            response.content_type = "application/octet-stream"
            await response.prepare(request)
            async for chunk in chunks:
                await response.write(chunk)
        await response.write_eof()
        return response

    async def _body(self, request: web.BaseRequest, call: Call) -> Any:
        if not call.has_body:
            if request.can_read_body:
                raise MalformedError("This call has no body.")
            return None
        try:
            raw = await asyncio.wait_for(request.read(), BODY_SECONDS)
        except web.HTTPRequestEntityTooLarge:
            most = request.client_max_size
            raise MalformedError(f"The body is longer than {most} bytes.") from None
        except TimeoutError:
            raise MalformedError(f"The body took longer than {BODY_SECONDS} s.") from None
        return parse_json(raw)


def _respond(answer: Answer) -> web.Response:
    if answer.data is None:
        return web.Response(status=answer.status)
    return web.Response(
        status=answer.status,
        body=json.dumps(answer.data, separators=(",", ":")).encode(),
        content_type="application/json",
    )


def _fail(status: int, message: str) -> web.Response:
    return _respond(Answer(status, {"message": message}))
