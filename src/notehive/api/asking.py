"""What all parts share: who asks, what they sent, and errors as one line of JSON."""

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import BaseModel, ValidationError

from notehive.gate.asker import Asker, asker

BELOW = "/notehive-api"  # of it, what Nginx passes on for people; the rest is for services
JSON = "application/json"
ASKER = web.RequestKey("asker", Asker)
T = TypeVar("T", bound=BaseModel)

log = logging.getLogger(__name__)


class RefusedError(Exception):
    """Ends a request with a status and an error of one line."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def known(key: str) -> Middleware:
    """Give what lets in those alone of whom Nginx tells, which shows the ``key``."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(f"{BELOW}/"):
            who = asker(request.headers, key)
            if who is None:
                refuse(HTTPStatus.FORBIDDEN, "only Nginx asks here, for a user of the gate's")
            request[ASKER] = who
        return await handler(request)

    return check


@web.middleware
async def errors_in_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer each error with ``{"message": ...}``; what is unexpected goes to the log as well."""
    try:
        return await handler(request)
    except RefusedError as error:
        return answer({"message": str(error)}, error.status)
    except web.HTTPException as error:
        return answer({"message": error.reason}, HTTPStatus(error.status))
    except Exception as error:
        log.exception("%s %s", request.method, request.path)
        said = f"the service `api` failed: {type(error).__name__}; its log says more"
        return answer({"message": said}, HTTPStatus.INTERNAL_SERVER_ERROR)


def who_asks(request: web.Request) -> Asker:
    """Give the user who asks."""
    return request[ASKER]


async def body(request: web.Request, kind: type[T]) -> T:
    """Read the body of a request as ``kind``; refuse any that is something else."""
    if request.content_type != JSON:
        # Pages of other sites can have browsers send forms, but no JSON.
        refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {JSON}, not {request.content_type}")
    return parsed(await request.read(), kind)


def parsed(data: bytes, kind: type[T]) -> T:
    """Read JSON as ``kind``; refuse any that is something else."""
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        refuse(HTTPStatus.BAD_REQUEST, f"{place}: {message}" if place else message)


async def stream(request: web.Request, lines: AsyncGenerator[str]) -> web.StreamResponse:
    """Answer with lines of text as they come."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
    await response.prepare(request)
    async with aclosing(lines) as told:
        async for line in told:
            await response.write(f"{line}\n".encode())
    await response.write_eof()
    return response


def refuse(status: HTTPStatus, message: str) -> NoReturn:
    """End a request with an error of one line."""
    raise RefusedError(status, message)


def answer(data: Any, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Give an answer in JSON, of which browsers keep nothing."""
    return web.Response(
        text=json.dumps(data),
        status=status,
        content_type=JSON,
        headers={"Cache-Control": "no-store"},
    )
