"""How releases go, as commit statuses on the server that a commit came from."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from notehive.api.asking import BELOW
from notehive.api.releases import FAILED, RELEASED, RUNNING
from notehive.git.repositories import Repository
from notehive.outside.config import OutsideConfig, place

NAME = "notehive"  # of the status, beside those of others
LONGEST = 140  # characters; GitHub refuses more
TIMEOUT = ClientTimeout(total=15)
TRIES, PAUSE = 4, 5.0  # and seconds
PUBLIC = {"github.com": "https://api.github.com"}  # whose API is at a name of its own
GITLABS = {RUNNING: "running", RELEASED: "success", FAILED: "failed"}
OTHERS = {RUNNING: "pending", RELEASED: "success", FAILED: "failure"}

log = logging.getLogger(__name__)


class Status(NamedTuple):
    """What is to be said of a commit."""

    model: str  # GROUP/NAME
    commit: str
    state: str  # of its release
    text: str
    page: str  # that says more


class Call(NamedTuple):
    """A request of a server's API."""

    url: str
    headers: Mapping[str, str]
    body: Mapping[str, str]


def call(config: OutsideConfig, token: str, status: Status) -> Call:
    """Give the request that sets a status."""
    at = place(config.repositories[status.model])
    text = status.text if len(status.text) <= LONGEST else f"{status.text[: LONGEST - 3]}..."
    told = {"target_url": status.page, "description": text}
    server = f"https://{config.server}"
    if config.provider == "gitlab":
        url = f"{server}/api/v4/projects/{quote(at, safe='')}/statuses/{status.commit}"
        body = {"state": GITLABS[status.state], "name": NAME, **told}
        return Call(url, {"PRIVATE-TOKEN": token}, body)
    body = {"state": OTHERS[status.state], "context": NAME, **told}
    if config.provider == "gitea":
        url = f"{server}/api/v1/repos/{at}/statuses/{status.commit}"
        return Call(url, {"Authorization": f"token {token}"}, body)
    api = PUBLIC.get(config.server, f"{server}/api/v3")
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    return Call(f"{api}/repos/{at}/statuses/{status.commit}", headers, body)


class Statuses:
    """Sets them in their order; ``url`` is the site's. What cannot be set is a line in the log."""

    def __init__(self, config: OutsideConfig, token: str, url: str) -> None:
        self.config, self.url, self._token = config, url, token
        self._waiting: asyncio.Queue[Status] = asyncio.Queue()
        self._tls = ssl.create_default_context(cadata=config.certificates or None)

    def heard(self, repository: Repository, commit: str, state: str, why: str) -> None:
        """Have said how a release goes, if its model comes from outside."""
        model = f"{repository.group}/{repository.name}"
        if model in self.config.repositories:
            page = f"{self.url}{BELOW}/models/{model}/releases/{commit}/log"
            self._waiting.put_nowait(Status(model, commit, state, why or state, page))

    async def running(self, application: web.Application) -> AsyncIterator[None]:
        """Work as long as an application runs: one of its ``cleanup_ctx``."""
        work = asyncio.create_task(self._work())
        yield
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work

    async def _work(self) -> None:
        while True:
            status = await self._waiting.get()
            wanted = call(self.config, self._token, status)
            if why := await self._send(wanted):
                log.warning("%s: no commit status: %s: %s", status.model, wanted.url, why)
            self._waiting.task_done()

    async def _send(self, wanted: Call) -> str:
        """Send a request, again if that is of use; say why it has failed."""
        why = ""
        for turn in range(TRIES):
            await asyncio.sleep(PAUSE if turn else 0)
            try:
                answered, text = await self._ask(wanted)
            except (ClientError, OSError, TimeoutError) as error:
                why = repr(error)
                continue
            if answered < HTTPStatus.BAD_REQUEST:
                return ""
            why = f"{answered} {text}"
            if answered < HTTPStatus.INTERNAL_SERVER_ERROR:
                return why
        return why

    async def _ask(self, wanted: Call) -> tuple[int, str]:
        to: dict[str, Any] = {"headers": wanted.headers, "json": wanted.body, "ssl": self._tls}
        async with (
            ClientSession(timeout=TIMEOUT) as session,
            # Nobody there sends this on to an address inside.
            session.post(wanted.url, allow_redirects=False, **to) as answer,
        ):
            text = await answer.content.read(LONGEST)
            return answer.status, text.decode(errors="replace")
