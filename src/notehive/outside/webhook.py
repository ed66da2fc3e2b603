"""The webhook: the one address that takes requests without a login, if they are signed."""

import asyncio
import logging
from http import HTTPStatus
from typing import NoReturn

from aiohttp import web

from notehive.errors import NotehiveError
from notehive.outside.config import OutsideConfig, place
from notehive.outside.hosts import HOSTS, Pushed, is_shown
from notehive.outside.mirror import NONE
from notehive.outside.pushes import KnownError, Pushes

PATH = "/git-webhook"
LARGEST = 8 << 20  # bytes of a body; one that tells of some thousand commits has less
MOST = 4  # bodies at once
PATIENCE = 30.0  # seconds for a body to come
WAIT = 8.0  # seconds for a fetch: servers give up waiting for an answer after 10

log = logging.getLogger(__name__)


class Webhook:
    """Judges what comes, with the secret that the server outside has as well."""

    def __init__(self, config: OutsideConfig, secret: str, pushes: Pushes) -> None:
        self.host, self.secret, self.pushes = HOSTS[config.provider], secret, pushes
        self.branch = f"refs/heads/{config.branch}"
        self.server = config.server
        self._models = {place(url): model for model, url in config.repositories.items()}
        self._bodies = asyncio.Semaphore(MOST)
        self._fetching: set[asyncio.Task[str]] = set()

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        """Answer one request; what is refused has changed nothing."""
        if request.method != "POST":
            refuse(HTTPStatus.METHOD_NOT_ALLOWED, "a webhook is sent with POST")
        if not self.host.shows(request.headers):
            refuse(HTTPStatus.UNAUTHORIZED, "it is not signed; give the webhook the secret")
        async with self._bodies:
            body = await read(request)
            if not is_shown(self.host, request.headers, self.secret, body):
                log.warning("a webhook is refused: its signature is not of the secret here")
                refuse(HTTPStatus.UNAUTHORIZED, "its secret is another one than here")
        if not self.host.is_push(request.headers):
            return web.Response(text="well heard; only pushes are of interest here\n")
        pushed, model = self.found(request, body)
        if pushed.ref != self.branch or pushed.commit == NONE:
            return web.Response(text=f"well heard; {self.branch} alone is of interest here\n")
        return await self.taken_in(model, pushed, self.host.mark(request.headers, body))

    def found(self, request: web.BaseRequest, body: bytes) -> tuple[Pushed, str]:
        """Give what a body tells, and of which model."""
        if request.content_type != "application/json":
            refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "have it sent as application/json")
        try:
            pushed = self.host.read(body)
        except ValueError:
            refuse(HTTPStatus.BAD_REQUEST, "this does not tell of a push")
        models = [model for at, model in self._models.items() if at in pushed.places]
        if not models:
            said = "no model comes from this repository; git.external.repositories would name it"
            refuse(HTTPStatus.NOT_FOUND, said)
        return pushed, models[0]

    async def taken_in(self, model: str, pushed: Pushed, mark: str) -> web.Response:
        """Have a push fetched; say how that ended, or that it goes on."""
        name = "".join(letter for letter in pushed.user if letter.isprintable())[:64]
        user = f"{name}@{self.server}" if name else self.server
        fetching = asyncio.create_task(self.pushes.take(model, user, pushed.commit, mark))
        self._fetching.add(fetching)
        fetching.add_done_callback(self._done)
        done, _ = await asyncio.wait({fetching}, timeout=WAIT)
        if not done:
            return web.Response(status=HTTPStatus.ACCEPTED, text=f"{model}: is being fetched\n")
        try:
            commit = fetching.result()
        except KnownError as error:
            refuse(HTTPStatus.CONFLICT, str(error))
        except NotehiveError as error:
            refuse(HTTPStatus.BAD_GATEWAY, str(error))
        return web.Response(text=f"{model}: has {commit} now\n")

    def _done(self, fetching: asyncio.Task[str]) -> None:
        self._fetching.discard(fetching)
        if not fetching.cancelled() and (error := fetching.exception()):
            log.warning("a push is not taken in: %s", error)


async def read(request: web.BaseRequest) -> bytes:
    """Give the body of a request; refuse one that is large, and one that does not come."""
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > LARGEST:
                    said = f"more than {LARGEST >> 20} MiB; push in smaller pieces"
                    refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said)
    except TimeoutError:
        refuse(HTTPStatus.REQUEST_TIMEOUT, "it does not come to its end")
    return bytes(body)


class Refusal(web.HTTPException):
    """An answer of any status with a reason, which servers show beside the delivery."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        self.status_code = status.value
        super().__init__(text=f"{reason}\n")


def refuse(status: HTTPStatus, reason: str) -> NoReturn:
    """End a request."""
    raise Refusal(status, reason)
