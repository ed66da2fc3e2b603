"""Pushes: git's hook tells of each, the pusher reads the answer, and others can look it up.

``GET /notehive-api/models/GROUP/NAME/pushes`` gives the last ones, the newest first.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from hmac import compare_digest
from http import HTTPStatus

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from notehive.api import records
from notehive.api.asking import answer, body, refuse, stream
from notehive.api.models import ONE
from notehive.api.releases import Releases
from notehive.git.repositories import BRANCH, Repositories, Repository

FILE = "notehive-pushes.jsonl"  # in the repository, so that it goes where that goes
MOST = 100  # that are given
RELEASED, NONE = f"refs/heads/{BRANCH}", "0" * 40


class Update(BaseModel):
    """One reference that has been pushed: what it was and is now."""

    model_config = ConfigDict(extra="forbid")

    ref: str
    old: str
    new: str


class Push(BaseModel):
    """What the hook tells."""

    model_config = ConfigDict(extra="forbid")

    repository: str  # GROUP/NAME
    user: str
    updates: list[Update]


@dataclass(frozen=True)
class Pushes:
    """The handlers. Git shows the ``token``; ``url`` is the site's address.

    ``one`` gives the repository that a path names, if the asker sees it.
    """

    repositories: Repositories
    token: str
    url: str
    one: Callable[[web.Request], Repository]
    releases: Releases | None  # none where no images are built

    def routes(self) -> list[web.RouteDef]:
        """Give what can be asked; the first is git's, and Nginx does not lead to it."""
        return [web.post("/pushes", self.take), web.get(f"{ONE}/pushes", self.list)]

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Put a push on record; answer with lines for who has pushed."""
        given = request.headers.get("Authorization", "")
        if not compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            refuse(HTTPStatus.UNAUTHORIZED, "only git tells of pushes")
        push = await body(request, Push)
        repository = self.found(push.repository)
        records.add(repository.path / FILE, **push.model_dump(exclude={"repository"}))
        return await stream(request, self.follow(repository, push))

    def found(self, place: str) -> Repository:
        """Give the repository ``GROUP/NAME``."""
        group, _, name = place.partition("/")
        found = self.repositories.find(group, name)
        if found is None:
            refuse(HTTPStatus.NOT_FOUND, f"{place}: there is no such repository")
        return found

    async def follow(self, repository: Repository, push: Push) -> AsyncGenerator[str]:
        """Give the lines that a pusher reads, as what follows from the push goes on."""
        yield f"{self.url}/git/{repository.group}/{repository.path.name}/"
        for update in push.updates:
            if self.releases and update.ref == RELEASED and update.new != NONE:
                async with aclosing(
                    self.releases.follow(repository, update.new, push.user)
                ) as lines:
                    async for line in lines:
                        yield line

    async def list(self, request: web.Request) -> web.Response:
        """Give the last pushes."""
        found = records.read(self.one(request).path / FILE)
        return answer(found[: -MOST - 1 : -1])
