"""A stand-in for Jenkins, by its documentation: it has jobs, and runs what a test calls a build."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

Build = Callable[[str, dict[str, str]], str]  # takes a job and its parameters, gives its result
JOB = "/jenkins/job/{group}/job/{name}"


@dataclass
class StandInJenkins:
    """Reads its jobs from a file, as the real one does by Job DSL; builds have no queue."""

    file: Path
    build: Build
    jobs: set[str] = field(default_factory=set)
    built: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    forgets: bool = False  # that there was a build
    _running: list[asyncio.Task[str]] = field(default_factory=list)

    async def make(self) -> web.AppRunner:
        """Give the server."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/jenkins/crumbIssuer/api/json", self.crumb),
                web.post("/jenkins/configuration-as-code/reload", self.reload),
                web.post(f"{JOB}/buildWithParameters", self.begin),
                web.get("/jenkins/queue/item/{number}/api/json", self.queued),
                web.get(f"{JOB}/{{number}}/api/json", self.show),
            ]
        )
        return web.AppRunner(app)

    async def crumb(self, request: web.Request) -> web.Response:
        """Give what every POST has to bring."""
        return web.json_response({"crumbRequestField": "Jenkins-Crumb", "crumb": "c"})

    async def reload(self, request: web.Request) -> web.Response:
        """Make the jobs that are listed."""
        self.jobs |= {
            f"{each['group']}/{each['name']}" for each in json.loads(self.file.read_text())
        }
        raise web.HTTPFound("/jenkins/")

    async def begin(self, request: web.Request) -> web.Response:
        """Begin a build."""
        job = "{group}/{name}".format(**request.match_info)
        if job not in self.jobs:
            raise web.HTTPNotFound
        given = {key: str(value) for key, value in (await request.post()).items()}
        self.built.append((job, given))
        self._running.append(asyncio.create_task(asyncio.to_thread(self.build, job, given)))
        place = f"http://jenkins:8080/jenkins/queue/item/{len(self._running)}/"
        return web.Response(status=201, headers={"Location": place})

    async def queued(self, request: web.Request) -> web.Response:
        """Tell where a build's page is."""
        number = int(request.match_info["number"])
        group, name = self.built[number - 1][0].split("/")
        place = f"http://site{JOB.format(group=group, name=name)}/{number}/"
        return web.json_response({"executable": {"url": place}})

    async def show(self, request: web.Request) -> web.Response:
        """Tell how far a build is."""
        if self.forgets:
            raise web.HTTPNotFound
        build = self._running[int(request.match_info["number"]) - 1]
        result = build.result() if build.done() else None
        return web.json_response({"building": not build.done(), "result": result})
