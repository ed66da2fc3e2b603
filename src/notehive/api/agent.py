"""What Jenkins' agent asks for: the stages of the releases that Jenkins was asked for.

``POST /stages/STAGE`` with ``{"group", "name", "commit"}``, by who has the release token, runs a
stage, and answers with lines of JSON as the builder does. The stage ``source`` comes first: its one
line is an address that the commit can be fetched from for a while, if it has a Jenkinsfile.
"""

import asyncio
import json
import subprocess
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from hmac import compare_digest
from http import HTTPStatus

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from notehive.api.asking import body, refuse, stream
from notehive.api.jenkins import ByJenkins
from notehive.api.stages import Release, Stages
from notehive.builder import Say
from notehive.builder.works import Event, Works
from notehive.git import tickets

JENKINSFILE = "Jenkinsfile"
SOURCE = "source"


class Wanted(BaseModel):
    """Which release a stage is of."""

    model_config = ConfigDict(extra="forbid")

    group: str
    name: str
    commit: str


@dataclass(frozen=True)
class Agent:
    """The handlers."""

    by_jenkins: ByJenkins
    stages: Stages

    def routes(self) -> list[web.RouteDef]:
        """Give what can be asked; Nginx does not lead to it."""
        return [web.post("/stages/{stage}", self.run)]

    async def run(self, request: web.Request) -> web.StreamResponse:
        """Run a stage, if it is its turn."""
        given = request.headers.get("Authorization", "")
        if not compare_digest(given.encode(), f"Bearer {self.by_jenkins.access.token}".encode()):
            refuse(HTTPStatus.UNAUTHORIZED, "only Jenkins' agent asks for stages")
        wanted, stage = await body(request, Wanted), request.match_info["stage"]
        release = self.by_jenkins.open.get((wanted.group, wanted.name, wanted.commit))
        if release is None:
            said = "nobody has asked the platform for this release; `notehive model release` does"
            refuse(HTTPStatus.CONFLICT, said)
        if stage not in (SOURCE, release.next):
            turn = f"it is the turn of {release.next}" if release.next else "all stages are done"
            refuse(HTTPStatus.CONFLICT, f"{stage}: {turn}")

        run = self.source if stage == SOURCE else self.stage

        async def start(say: Say) -> Event:
            await run(release, say)
            return {}

        return await stream(request, lines(Works("api").follow(stage, start)))

    async def stage(self, release: Release, say: Say) -> None:
        """Run the stage whose turn it is; who follows the release hears of it, too."""

        def both(line: str) -> None:
            say(line)
            release.say(line)

        await self.stages.run(release, both)

    async def source(self, release: Release, say: Say) -> None:
        """Say where a commit with a Jenkinsfile can be fetched from."""
        group, name, path = release.repository
        command = ("git", "-C", str(path), "cat-file", "-e", f"{release.commit}:{JENKINSFILE}")
        found = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
        if not found.returncode:
            release.say("its own checks ...")
            access = self.by_jenkins.access
            say(f"{access.inside}{tickets.path(access.key, group, name)}")


async def lines(events: AsyncGenerator[Event]) -> AsyncGenerator[str]:
    """Give events as lines of JSON."""
    async with aclosing(events) as told:
        async for event in told:
            yield json.dumps(event)
