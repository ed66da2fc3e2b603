"""Asking Jenkins for jobs and releases. The other side is a stand-in, by Jenkins' documentation."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from notehive.jenkins.client import Jenkins, NoJobError, State

T = TypeVar("T")
JOB = "/jenkins/job/lab/job/churn"


class StandIn:
    """Jenkins with one job: crumbs belong to a session, a build is queued and then runs."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.item: dict[str, Any] = {}
        self.run: dict[str, Any] = {}

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/jenkins/crumbIssuer/api/json", self.crumb),
                web.post("/jenkins/configuration-as-code/reload", self.take),
                web.post(f"{JOB}/buildWithParameters", self.take),
                web.get("/jenkins/queue/item/7/api/json", self.queued),
                web.get(f"{JOB}/3/api/json", self.running),
            ]
        )
        return app

    async def crumb(self, request: web.Request) -> web.Response:
        answer = web.json_response({"crumbRequestField": "Jenkins-Crumb", "crumb": "c"})
        answer.set_cookie("JSESSIONID.1", "s")
        return answer

    async def take(self, request: web.Request) -> web.Response:
        if request.cookies.get("JSESSIONID.1") != "s" or request.headers["Jenkins-Crumb"] != "c":
            raise web.HTTPForbidden
        if request.headers["X-Notehive-Groups"] != "admin=yes":
            raise web.HTTPForbidden
        self.asked.append((request.path, dict(await request.post())))
        return web.Response(status=201, headers={"Location": "http://site/jenkins/queue/item/7/"})

    async def queued(self, request: web.Request) -> web.Response:
        return web.json_response(self.item)

    async def running(self, request: web.Request) -> web.Response:
        return web.json_response(self.run)


def with_jenkins(use: Callable[[Jenkins, StandIn], Awaitable[T]], file: Path = Path()) -> T:
    async def run() -> T:
        stand_in = StandIn()
        async with TestServer(stand_in.app()) as server:
            jenkins = Jenkins(str(server.make_url("/jenkins")), file)
            try:
                return await use(jenkins, stand_in)
            finally:
                await jenkins.close()

    return asyncio.run(run())


def test_jobs(tmp_path: Path) -> None:
    file = tmp_path / "repositories.json"
    file.write_text("[]")

    async def use(jenkins: Jenkins, there: StandIn) -> None:
        await jenkins.make_jobs([("lab", "churn")])
        assert [path for path, _ in there.asked] == ["/jenkins/configuration-as-code/reload"]

    with_jenkins(use, file)
    assert json.loads(file.read_text()) == [{"group": "lab", "name": "churn"}]
    assert list(tmp_path.iterdir()) == [file]


def test_a_release() -> None:
    async def use(jenkins: Jenkins, there: StandIn) -> None:
        item = await jenkins.release("lab", "churn", "abc", "ana")
        assert there.asked == [(f"{JOB}/buildWithParameters", {"COMMIT": "abc", "PUSHER": "ana"})]
        assert await jenkins.state(item) == State("queue/item/7", "")
        there.item = {"executable": {"url": f"http://site{JOB}/3/"}}
        begun = await jenkins.state(item)
        assert begun == State("job/lab/job/churn/3", "")
        there.run = {"building": True, "result": None}
        assert await jenkins.state(begun.place) == begun
        there.run = {"building": False, "result": "FAILURE"}
        assert await jenkins.state(begun.place) == State(begun.place, "FAILURE")
        there.item = {"cancelled": True}
        assert await jenkins.state(item) == State(item, "ABORTED")

    with_jenkins(use)


def test_a_repository_without_a_job() -> None:
    async def use(jenkins: Jenkins, there: StandIn) -> None:
        with pytest.raises(NoJobError):
            await jenkins.release("lab", "new", "abc", "ana")
        with pytest.raises(NoJobError):
            await jenkins.state("job/lab/job/new/1")

    with_jenkins(use)
