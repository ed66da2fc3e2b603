"""Releases as builds of Jenkins. Its agent's command is real, it and the builder are stand-ins."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from notehive.api import builder
from notehive.api import jenkins as by_jenkins
from notehive.api.jenkins import Access
from notehive.api.stages import STAGES
from notehive.builder import AGAIN
from notehive.errors import BadInput, NotehiveError
from notehive.git import tickets
from notehive.jenkins.client import Jenkins
from notehive.jenkins.stage import ask
from tests.support.jenkins import StandInJenkins
from tests.support.listening import listening
from tests.support.site import wait_for
from tests.unit.test_releases import IMAGE, ONE, Serving, StandInBuilder, committed, serve

ROOT = Path(__file__).resolve().parents[2]
RELEASE_TOKEN, FETCH_KEY = "token of the agent", "f" * 64
PAGE = "http://site/jenkins/job/red/job/churn/1/"
ORDER = list(builder.STAGES.values())  # what the builder is asked for


@dataclass
class World:
    """An API that asks a stand-in for Jenkins; ``stages`` are those that its builds ask for."""

    jenkins: StandInJenkins
    api: Serving = field(init=False)
    stages: tuple[str, ...] = STAGES
    result: str = "SUCCESS"

    def ask(self, stage: str, commit: str = ONE, token: str = RELEASE_TOKEN) -> list[str]:
        """Ask for a stage, as the agent does."""
        wanted = {"group": "red", "name": "churn", "commit": commit}
        return list(ask(self.api.address.removeprefix("http://"), token, stage, wanted))

    def build(self, job: str, given: dict[str, str]) -> str:
        """Do what the pipeline does."""
        try:
            for stage in self.stages:
                self.ask(stage, given["COMMIT"])
        except NotehiveError:
            return "FAILURE"
        return self.result


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(by_jenkins, "PAUSE", 0.01)
    stand_in, root = StandInBuilder(), tmp_path / "srv"
    root.mkdir()
    jenkins = StandInJenkins(tmp_path / "repositories.json", lambda job, given: "")
    world = World(jenkins)
    jenkins.build = world.build
    with listening(stand_in.make) as builds, listening(jenkins.make) as asked:
        access = with_jenkins(asked, jenkins.file)
        with serve(root, stand_in, builds, access) as world.api:
            wait_for("the jobs", lambda: jenkins.jobs == {"red/churn"})
            yield world


def with_jenkins(address: str, file: Path) -> Callable[[], Access]:
    """Give what makes the API's way to Jenkins."""
    return lambda: Access(
        Jenkins(f"{address}/jenkins", file), RELEASE_TOKEN, FETCH_KEY, "http://nginx:80"
    )


def test_a_push_is_released_by_a_build(world: World) -> None:
    said = world.api.push()
    said.remove(PAGE)  # which is heard of while the first stage may run already
    assert said == [
        "waiting for Jenkins",
        *(line for pair in builder.STAGES.items() for line in (f"{pair[0]} ...", pair[1])),
        *("publish ...", f"released: {IMAGE}"),
    ]
    assert world.jenkins.built == [("red/churn", {"COMMIT": ONE, "PUSHER": "ana"})]
    assert world.api.published == [(ONE, IMAGE, "ana")]
    assert world.api.states() == [("1", "released")]


def test_a_stage_that_fails_fails_the_build(world: World) -> None:
    failing: list[dict[str, Any]] = [{"line": "bad"}, {"error": "see above", "exit_code": 2}]
    world.api.builder.does["builds"] = lambda commit: failing
    said = world.api.push()
    assert "bad" in said
    assert said[-1] == "not released: build: see above"
    assert [stage for stage, _ in world.api.builder.asked] == ORDER[:2]
    assert world.api.states() == [("1", "failed")]


def test_the_agent_hears_what_the_pusher_hears(world: World) -> None:
    heard: list[str] = []

    def build(job: str, given: dict[str, str]) -> str:
        heard.extend(world.ask("check"))
        world.api.builder.does["builds"] = lambda commit: [{"error": "no", "exit_code": 2}]
        with pytest.raises(BadInput, match=r"^build: no$"):
            world.ask("build")
        return "FAILURE"

    world.jenkins.build = build
    assert world.api.push()[-1] == "not released: build: no"
    assert heard == ["check ...", "checks"]


@pytest.mark.parametrize(("passed", "left"), [(0, "check"), (2, STAGES[2])])
def test_a_build_that_ends_before_its_end(world: World, passed: int, left: str) -> None:
    world.stages, world.result = STAGES[:passed], "ABORTED"
    said = f"Jenkins: the build ended before {left} was done: ABORTED; see {PAGE}"
    assert world.api.push()[-1] == f"not released: {said}"
    assert world.api.published == []


def test_what_a_pipeline_leaves_out_is_done_all_the_same(world: World) -> None:
    world.stages = STAGES[:1]
    assert world.api.push()[-1] == f"released: {IMAGE}"
    assert [stage for stage, _ in world.api.builder.asked] == ORDER


def test_a_build_that_jenkins_knows_no_more(world: World) -> None:
    world.jenkins.forgets = True
    said = f"Jenkins: it does not tell of the build any more; {AGAIN}"
    assert world.api.push()[-1] == f"not released: {said}"


def test_without_jenkins_releases_go_on(tmp_path: Path) -> None:
    access = with_jenkins("http://127.0.0.1:1", tmp_path / "repositories.json")
    root, stand_in = tmp_path / "srv", StandInBuilder()
    root.mkdir()
    with listening(stand_in.make) as builds, serve(root, stand_in, builds, access) as api:
        said = api.push()
    assert said[:2] == ["waiting for Jenkins", "Jenkins does not answer; this goes on without it"]
    assert said[-1] == f"released: {IMAGE}"


# Jobs


def test_a_job_that_is_missing_is_made(world: World) -> None:
    world.jenkins.jobs.clear()
    assert world.api.push()[-1] == f"released: {IMAGE}"


def test_a_new_model_gets_its_job(world: World) -> None:
    headers = {"X-Notehive-Key": "key", "X-Notehive-User": "ana", "X-Notehive-Edits": "red"}
    url = f"{world.api.address}/notehive-api/models"
    answer = requests.post(url, json={"name": "other", "group": "red"}, headers=headers, timeout=60)
    assert answer.status_code == 201
    wait_for("its job", lambda: world.jenkins.jobs == {"red/churn", "red/other"})


# What the agent may ask for


def test_nothing_that_nobody_asked_for(world: World) -> None:
    with pytest.raises(NotehiveError, match="nobody has asked the platform for this release"):
        world.ask("check")
    assert world.api.builder.asked == []


def test_no_stage_before_its_turn(world: World) -> None:
    said: list[str] = []

    def build(job: str, given: dict[str, str]) -> str:
        for stage in ("push", "check", "check", "nonsense"):
            try:
                world.ask(stage)
            except NotehiveError as error:
                said.append(str(error))
        return "FAILURE"

    world.jenkins.build = build
    world.api.push()
    assert said == [
        "push: it is the turn of check",
        "check: it is the turn of build",
        "nonsense: it is the turn of build",
    ]


def test_nobody_without_the_token(world: World) -> None:
    with pytest.raises(NotehiveError, match="only Jenkins' agent asks for stages"):
        world.ask("check", token="token")


def test_where_a_jenkinsfile_is_fetched_from(world: World, tmp_path: Path) -> None:
    sources: list[list[str]] = []

    def build(job: str, given: dict[str, str]) -> str:
        sources.append(world.ask("source", given["COMMIT"]))
        return world.build(job, given)

    world.jenkins.build = build
    without = committed(world.api.churn.path, tmp_path)
    with_one = committed(world.api.churn.path, tmp_path, "Jenkinsfile")
    assert "its own checks ..." not in world.api.push(without)
    assert "its own checks ..." in world.api.push(with_one)
    nothing, (address,) = sources
    assert nothing == []
    assert address.startswith(f"http://nginx:80{tickets.BELOW}/")
    _, ticket, group, name = address.removeprefix("http://nginx:80").rsplit("/", 3)
    assert (group, name) == ("red", "churn.git")
    assert tickets.is_good(ticket, FETCH_KEY, "red", "churn")


# The command of the agent


def command(world: World, stage: str, token: Path) -> "subprocess.CompletedProcess[str]":
    """Run `notehive model STAGE`."""
    return subprocess.run(
        (
            *(sys.executable, "-P", "-m", "notehive.jenkins.stage", "model", stage),
            *("--group=red", "--name=churn", f"--commit={ONE}"),
        ),
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "src"),
            "NOTEHIVE_API": world.api.address.removeprefix("http://"),
            "NOTEHIVE_TOKEN_FILE": str(token),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command(world: World, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(RELEASE_TOKEN)
    done: list[subprocess.CompletedProcess[str]] = []

    def build(job: str, given: dict[str, str]) -> str:
        world.api.builder.does["builds"] = lambda commit: [{"error": "no", "exit_code": 2}]
        done.extend(command(world, stage, token) for stage in ("check", "build"))
        return "FAILURE"

    world.jenkins.build = build
    world.api.push()
    check, built = done
    assert (check.stdout, check.stderr, check.returncode) == ("check ...\nchecks\n", "", 0)
    assert (built.stdout, built.stderr, built.returncode) == ("build ...\n", "build: no\n", 2)


def test_the_command_without_an_api() -> None:
    with pytest.raises(NotehiveError, match="the service `api` does not answer"):
        list(ask("127.0.0.1:1", "token", "check", {}))
