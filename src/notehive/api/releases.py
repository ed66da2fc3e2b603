"""Releases: each push to the branch that is released is checked, built, kept and published.

A stage that fails ends the release; what was released before stays so. A release goes on without
its pusher, and one that the API's own end has interrupted begins again with it.

``GET /notehive-api/models/GROUP/NAME/releases`` gives the last ones, the newest first, and
``/releases/COMMIT/log`` what one of them said. ``POST .../releases`` releases the last commit once
more.
"""

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web

from notehive.api import records
from notehive.api.asking import answer, refuse, stream, who_asks
from notehive.api.jenkins import ByJenkins, NotReachedError
from notehive.api.models import ONE
from notehive.api.stages import Release, Stages
from notehive.builder import Say
from notehive.builder.works import Event, Start, Works
from notehive.errors import BadInput, NotehiveError
from notehive.git.repositories import Repositories, Repository, last_commit

FILE = "notehive-releases.jsonl"  # in the repository, so that it goes where that goes
LOGS = "notehive-releases"
MOST = 100  # that are given
RUNNING, RELEASED, FAILED = "running", "released", "failed"
COMMIT = r"[0-9a-f]{40}"

log = logging.getLogger(__name__)

Key = tuple[Path, str]  # of a release: repository and commit
Heard = Callable[[Repository, str, str, str], None]


class Releases:
    """Makes and tells of them. ``one`` gives the repository of a path, if the asker sees it.

    ``heard`` is told of each that begins or ends: repository, commit, state, and why it failed.
    """

    def __init__(
        self,
        repositories: Repositories,
        stages: Stages,
        by_jenkins: ByJenkins | None,
        one: Callable[[web.Request], Repository],
        heard: Heard | None = None,
    ) -> None:
        self.repositories, self.stages = repositories, stages
        self.by_jenkins, self.one = by_jenkins, one
        self._heard = heard
        self._works = Works("api")
        self._running: dict[Key, tuple[Start, asyncio.Task[None]]] = {}
        self._turns: dict[Path, asyncio.Lock] = defaultdict(asyncio.Lock)

    def routes(self) -> list[web.RouteDef]:
        """Give what can be asked."""
        return [
            web.get(f"{ONE}/releases", self.list),
            web.post(f"{ONE}/releases", self.again),
            web.get(f"{ONE}/releases/{{commit}}/log", self.show_log),
        ]

    def turn(self, group: str, name: str) -> asyncio.Lock:
        """Give what a model's releases hold, one after the other."""
        return self._turns[self.repositories.path(group, name)]

    async def resume(self, application: web.Application) -> None:
        """Begin those again that were interrupted."""
        for repository in self.repositories.seen_by(lambda group: True):
            for told in reversed(recorded(repository.path)):
                if told["state"] == RUNNING:
                    self._begin(repository, told["commit"], told["user"])

    async def end(self, application: web.Application) -> None:
        """End all that run; what is not on record as ended begins again with the next API."""
        listening = [task for _, task in self._running.values()]
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        await self._works.end()

    async def follow(self, repository: Repository, commit: str, user: str) -> AsyncGenerator[str]:
        """Begin a release, unless it runs; yield what it says, and at last how it ended."""
        start = self._begin(repository, commit, user)
        async with aclosing(self._works.follow((repository.path, commit), start)) as events:
            async for event in events:
                yield event["line"] if "line" in event else last_words(event)

    def _begin(self, repository: Repository, commit: str, user: str) -> Start:
        """Begin a release unless it runs, and listen to it to its end, whoever else does."""
        key = (repository.path, commit)
        if key not in self._running:

            def record(state: str, **told: str) -> None:
                told |= {"commit": commit, "user": user, "state": state}
                records.add(repository.path / FILE, **told)
                if self._heard:
                    self._heard(repository, commit, state, told.get("error", ""))

            record(RUNNING)

            async def start(say: Say) -> Event:
                try:
                    result = await self._release(Release(repository, commit, user, say))
                except NotehiveError as error:
                    record(FAILED, error=str(error))
                    raise
                record(RELEASED, **result)
                return result

            listening = asyncio.create_task(self._listen(repository, commit, start))
            self._running[key] = start, listening
            listening.add_done_callback(lambda _: self._running.pop(key))
        return self._running[key][0]

    async def _listen(self, repository: Repository, commit: str, start: Start) -> None:
        """Write down what a release says."""
        directory = repository.path / LOGS
        directory.mkdir(exist_ok=True)
        with (directory / f"{commit}.log").open("w", encoding="utf-8") as file:
            async with aclosing(self._works.follow((repository.path, commit), start)) as events:
                async for event in events:
                    file.write((event["line"] if "line" in event else last_words(event)) + "\n")
                    file.flush()

    async def _release(self, release: Release) -> Event:
        """Take a commit through the stages; give its image."""
        turn = self._turns[release.repository.path]
        if turn.locked():
            release.say("waiting for the release of the push before")
        # In the order of the pushes: the last one is what is released in the end.
        async with turn:
            await asyncio.to_thread(refuse_the_overtaken, release)
            try:
                if self.by_jenkins:
                    await self.by_jenkins.release(release)
            except NotReachedError as error:
                log.warning("Jenkins does not answer: %s", error)
                release.say("Jenkins does not answer; this goes on without it")
            while release.next:
                await self.stages.run(release, release.say)
        return {"image": release.image}

    async def again(self, request: web.Request) -> web.StreamResponse:
        """Release the last commit once more; answer with lines, as git's hook is."""
        repository, who = self.one(request), who_asks(request)
        if not who.changes(repository.group):
            refuse(HTTPStatus.FORBIDDEN, f"{repository.group}: you cannot change what is its")
        commit = await asyncio.to_thread(last_commit, repository)
        if commit is None:
            refuse(HTTPStatus.CONFLICT, f"{repository.name}: is empty; push a first commit")
        return await stream(request, self.follow(repository, commit.id, who.user))

    async def list(self, request: web.Request) -> web.Response:
        """Give the last releases."""
        return answer(recorded(self.one(request).path)[:MOST])

    async def show_log(self, request: web.Request) -> web.StreamResponse:
        """Give what a release has said so far."""
        repository, commit = self.one(request), request.match_info["commit"]
        path = repository.path / LOGS / f"{commit}.log"
        if not re.fullmatch(COMMIT, commit) or not path.is_file():
            refuse(HTTPStatus.NOT_FOUND, f"{commit}: has never been released")
        return web.FileResponse(path, headers={"Content-Type": "text/plain; charset=utf-8"})


def refuse_the_overtaken(release: Release) -> None:
    """Raise BadInput if the push after this one, of which git told first, is released already."""
    last = last_commit(release.repository)
    if last is None or last.id == release.commit:
        return
    if any(
        each["commit"] == last.id and each["state"] == RELEASED
        for each in recorded(release.repository.path)
    ):
        raise BadInput(f"the push after it, {last.id[:12]}, is released already")


def last_words(event: Event) -> str:
    """Give the line that says how a release ended."""
    if "result" in event:
        return f"released: {event['result']['image']}"
    return f"not released: {event['error']}"


def recorded(path: Path) -> list[dict[str, Any]]:
    """Give the releases of a repository, each as it was last told of, the newest first."""
    last: dict[str, dict[str, Any]] = {}
    for told in records.read(path / FILE):
        if told["state"] == RUNNING:
            last.pop(told["commit"], None)  # begun once more: now it is the newest
        last[told["commit"]] = told
    return list(reversed(last.values()))
