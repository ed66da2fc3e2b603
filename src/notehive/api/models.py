"""Models: a project's repository, made and listed.

``POST /notehive-api/models`` with ``{"name", "group"}`` makes one; without a group, in the only
one that the asker is in. ``GET`` lists those that the asker sees, and ``/models/GROUP/NAME`` is
one of them.
"""

import asyncio
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from notehive.api.asking import BELOW, answer, body, refuse, who_asks
from notehive.gate.asker import Asker
from notehive.git.paths import NAME
from notehive.git.repositories import BRANCH, Repositories, Repository, last_commit
from notehive.settings import EVERYONE

PATH = f"{BELOW}/models"
ONE = rf"{PATH}/{{group}}/{{name}}"
RULE = "use 2 to 40 lower-case letters, digits and dashes, no dash first or last"


class New(BaseModel):
    """What is asked for."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=100)
    group: str = Field("", max_length=100)


@dataclass(frozen=True)
class Models:
    """The handlers; ``url`` is the site's address, ``groups`` are those that keep things.

    ``made`` hears of each new one. With a ``server`` outside, which repositories come from, none is
    made here.
    """

    repositories: Repositories
    url: str
    groups: Collection[str]
    made: Callable[[], None] | None = None
    server: str = ""

    def routes(self) -> list[web.RouteDef]:
        """Give what can be asked."""
        return [web.post(PATH, self.make), web.get(PATH, self.list), web.get(ONE, self.show)]

    async def make(self, request: web.Request) -> web.Response:
        """Make an empty repository for a model."""
        new = await body(request, New)
        if self.server:
            said = f"repositories come from {self.server}; make it there, and tell your operator"
            refuse(HTTPStatus.FORBIDDEN, said)
        if not re.fullmatch(NAME, new.name):
            refuse(HTTPStatus.BAD_REQUEST, f"name: {new.name!r}: {RULE}")
        group = self.chosen(new.group, who_asks(request))
        try:
            made = await asyncio.to_thread(self.repositories.make, group, new.name)
        except FileExistsError as error:
            refuse(HTTPStatus.CONFLICT, f"{error}; choose another name")
        if self.made:
            self.made()
        return answer(await self.told(made), HTTPStatus.CREATED)

    def chosen(self, wish: str, who: Asker) -> str:
        """Give the group that a new model is to belong to: a wish, or the only one there is."""
        own = sorted(who.edits - {EVERYONE})
        if not wish:
            if len(own) > 1:
                said = f"group: you are in {', '.join(own)}; say which one it is to belong to"
                refuse(HTTPStatus.BAD_REQUEST, said)
            wish = own[0] if own else EVERYONE
        if wish not in self.groups or not who.changes(wish):
            yours = ", ".join(sorted(who.edits)) or "none"
            refuse(HTTPStatus.FORBIDDEN, f"group: {wish!r} is none of yours; yours are: {yours}")
        return wish

    async def list(self, request: web.Request) -> web.Response:
        """List the models of the groups that the asker sees."""
        found = list(self.repositories.seen_by(who_asks(request).sees))
        return answer([await self.told(each) for each in found])

    async def show(self, request: web.Request) -> web.Response:
        """Tell of one."""
        return answer(await self.told(self.one(request)))

    def one(self, request: web.Request) -> Repository:
        """Give the repository that a request's path names, if the asker sees it."""
        group, name = request.match_info["group"], request.match_info["name"]
        found = self.repositories.find(group, name) if who_asks(request).sees(group) else None
        if found is None:
            said = f"{group}/{name}: there is no such model, or it is not open to you"
            refuse(HTTPStatus.NOT_FOUND, said)
        return found

    async def told(self, repository: Repository) -> dict[str, Any]:
        """Give what is told of a model."""
        commit = await asyncio.to_thread(last_commit, repository)
        place = f"{self.url}/git/{repository.group}/{repository.path.name}"
        return {
            "group": repository.group,
            "name": repository.name,
            "clone_url": place,
            "page": f"{place}/",
            "branch": BRANCH,
            "commit": commit._asdict() if commit else None,
        }
