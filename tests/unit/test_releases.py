"""Releases of the API, with a stand-in for the builder: it says what it is told to.

What is published is only written down here; `test_publish` has the real thing.
"""

import asyncio
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web

from notehive.api.app import make_app
from notehive.api.builder import Builder
from notehive.api.database import Database
from notehive.api.jenkins import Access
from notehive.api.releases import recorded
from notehive.errors import BadInput, NotehiveError
from notehive.git.repositories import Repositories, Repository
from notehive.models import client
from notehive.models.commands import releases
from tests.support.listening import listening
from tests.support.site import wait_for

KEY, TOKEN = "key", "token"
ZERO, ONE, TWO = "0" * 40, "1" * 40, "2" * 40
STAGES = ["checks", "builds", "smokes", "pushes"]
IMAGE = "127.0.0.1:5000/models/red/churn@sha256:ab"


@dataclass
class StandInBuilder:
    """Answers as the builder does; what a stage does can be replaced."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    does: dict[str, Callable[[str], list[dict[str, Any]]]] = field(default_factory=dict)

    async def make(self) -> web.AppRunner:
        app = web.Application()
        app.add_routes([web.post("/{stage}", self.answer)])
        return web.AppRunner(app)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer of the builder"
        stage, wanted = request.match_info["stage"], await request.json()
        self.asked.append((stage, wanted["commit"][0]))
        response = web.StreamResponse()
        await response.prepare(request)
        does = self.does.get(stage, lambda commit: [{"line": stage}, {"result": {"image": IMAGE}}])
        # Elsewhere: a test may let it wait.
        for event in await asyncio.to_thread(does, wanted["commit"]):
            await response.write(json.dumps(event).encode() + b"\n")
        return response


@dataclass
class Serving:
    """An API and its builder."""

    address: str
    builder: StandInBuilder
    churn: Repository
    published: list[tuple[str, ...]] = field(default_factory=list)  # commit, image, user
    refuses: str = ""  # why nothing can be published

    def publish(self, repository: Repository, *release: str) -> None:
        """Write down what is to be published."""
        if self.refuses:
            raise BadInput(self.refuses)
        self.published.append(release)

    def push(self, commit: str = ONE, ref: str = "refs/heads/main") -> list[str]:
        """Tell of a push, as git's hook does; give what the pusher reads."""
        update = {"ref": ref, "old": ZERO, "new": commit}
        body = {"repository": "red/churn", "user": "ana", "updates": [update]}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = requests.post(f"{self.address}/pushes", json=body, headers=headers, timeout=60)
        assert answer.status_code == 200
        page, *lines = answer.text.splitlines()
        assert page == "http://site/git/red/churn.git/"
        return lines

    def ask(self, method: str, path: str, edits: str = "red") -> requests.Response:
        """Ask as a user of these groups."""
        headers = {"X-Notehive-Key": KEY, "X-Notehive-User": "ana", "X-Notehive-Reads": "red"}
        url = f"{self.address}/notehive-api/models/red/churn{path}"
        headers["X-Notehive-Edits"] = edits
        return requests.request(method, url, headers=headers, timeout=60)

    def states(self) -> list[tuple[str, str]]:
        """Give the first digit and the state of each release, the oldest first."""
        return [(told["commit"][0], told["state"]) for told in reversed(recorded(self.churn.path))]


@contextmanager
def serve(
    root: Path,
    builder: StandInBuilder,
    address: str,
    access: Callable[[], Access] | None = None,
) -> Iterator[Serving]:
    repositories = Repositories(root)
    churn = repositories.find("red", "churn") or repositories.make("red", "churn")
    serving = Serving("", builder, churn)

    async def make() -> web.AppRunner:
        return web.AppRunner(
            make_app(
                repositories,
                key=KEY,
                push_token=TOKEN,
                builder=Builder("of the builder", address),
                database=Database(),
                publish=serving.publish,
                jenkins=access() if access else None,
                url="http://site",
                groups=["red"],
            )
        )

    with listening(make) as serving.address:
        yield serving


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Serving]:
    builder = StandInBuilder()
    with listening(builder.make) as address, serve(tmp_path, builder, address) as api:
        yield api


def test_a_push_is_checked_built_and_kept(api: Serving) -> None:
    assert api.push() == [
        *("check ...", "checks", "build ...", "builds"),
        *("smoke ...", "smokes", "push ...", "pushes", "publish ..."),
        f"released: {IMAGE}",
    ]
    assert api.builder.asked == [(stage, "1") for stage in STAGES]
    assert api.published == [(ONE, IMAGE, "ana")]
    (told,) = api.ask("GET", "/releases").json()
    assert told.pop("time").endswith("+00:00")
    assert told == {"commit": ONE, "user": "ana", "state": "released", "image": IMAGE}
    assert api.ask("GET", f"/releases/{ONE}/log").text.splitlines()[-1] == f"released: {IMAGE}"
    assert api.ask("GET", f"/releases/{TWO}/log").status_code == 404
    assert api.ask("GET", "/releases/..%2f..%2fconfig/log").status_code == 404


@pytest.mark.parametrize(
    ("commit", "ref"), [(ONE, "refs/heads/other"), (ONE, "refs/tags/v1"), (ZERO, "refs/heads/main")]
)
def test_what_releases_nothing(api: Serving, commit: str, ref: str) -> None:
    assert api.push(commit, ref) == []
    assert api.states() == []


@pytest.mark.parametrize("code", [1, 2])
@pytest.mark.parametrize(
    ("stage", "asked"),
    [
        ("checks", STAGES[:1]),
        ("builds", STAGES[:2]),
        ("smokes", STAGES[:3]),
        ("pushes", STAGES),
    ],
)
def test_a_stage_that_fails_ends_the_release(
    api: Serving, stage: str, asked: list[str], code: int
) -> None:
    api.builder.does[stage] = lambda commit: [
        {"line": "prepare.ipynb: cell 3: has a secret"},
        {"error": "see above", "exit_code": code},
    ]
    verb = {"checks": "check", "builds": "build", "smokes": "smoke", "pushes": "push"}[stage]
    assert api.push()[-2:] == [
        "prepare.ipynb: cell 3: has a secret",
        f"not released: {verb}: see above",
    ]
    assert [stage for stage, _ in api.builder.asked] == asked
    assert api.published == []
    (told,) = api.ask("GET", "/releases").json()
    assert (told["state"], told["error"]) == ("failed", f"{verb}: see above")


def test_what_cannot_be_published_is_not_released(api: Serving) -> None:
    api.refuses = "model.yml: size: huge: there is none"
    assert api.push()[-1] == f"not released: publish: {api.refuses}"
    assert api.states() == [("1", "failed")]


def test_a_builder_that_ends_in_the_middle(api: Serving) -> None:
    api.builder.does["builds"] = lambda commit: [{"line": "step 1"}]
    assert api.push()[-1].startswith("not released: build: the builder ended before it was done")


def test_no_builder(tmp_path: Path) -> None:
    with serve(tmp_path, StandInBuilder(), "http://127.0.0.1:1") as api:
        assert api.push()[-1].startswith("not released: check: the builder does not answer (")
        assert api.states() == [("1", "failed")]


def test_two_pushes_are_released_in_their_order(api: Serving) -> None:
    first, go_on = threading.Event(), threading.Event()

    def wait(commit: str) -> list[dict[str, Any]]:
        if commit == ONE:
            first.set()
            assert go_on.wait(60)
        return [{"result": {}}]

    api.builder.does["checks"] = wait
    pushes = [threading.Thread(target=api.push, args=(commit,)) for commit in (ONE, TWO)]
    pushes[0].start()
    assert first.wait(60)
    pushes[1].start()
    waits = "waiting for the release of the push before\n"
    wait_for("the second", lambda: api.ask("GET", f"/releases/{TWO}/log").text == waits)
    go_on.set()
    for push in pushes:
        push.join()
    assert [commit for _, commit in api.builder.asked] == ["1"] * 4 + ["2"] * 4
    assert api.states() == [("1", "released"), ("2", "released")]


def test_a_release_goes_on_without_its_pusher(api: Serving) -> None:
    gone = threading.Event()

    def wait(commit: str) -> list[dict[str, Any]]:
        assert gone.wait(60)
        return [{"result": {}}]

    api.builder.does["checks"] = wait
    with requests.post(
        f"{api.address}/pushes",
        json={
            "repository": "red/churn",
            "user": "ana",
            "updates": [{"ref": "refs/heads/main", "old": ZERO, "new": ONE}],
        },
        headers={"Authorization": f"Bearer {TOKEN}"},
        stream=True,
        timeout=60,
    ) as answer:
        lines = answer.iter_lines()
        assert [next(lines), next(lines)] == [b"http://site/git/red/churn.git/", b"check ..."]
    gone.set()
    wait_for("its end", lambda: api.states() == [("1", "released")])


def test_what_was_interrupted_begins_again(tmp_path: Path) -> None:
    builder, ended = StandInBuilder(), threading.Event()

    def wait(commit: str) -> list[dict[str, Any]]:
        assert ended.wait(60)
        return [{"result": {"image": IMAGE}}]

    builder.does["builds"] = wait
    with listening(builder.make) as address:
        with serve(tmp_path, builder, address) as api:
            push = threading.Thread(target=api.push)
            push.start()
            wait_for("the build", lambda: ("builds", "1") in builder.asked)
        push.join()
        ended.set()
        assert api.states() == [("1", "running")]
        with serve(tmp_path, builder, address) as api:
            wait_for("its end", lambda: api.states() == [("1", "released")])


def test_once_more_by_those_who_may(api: Serving, tmp_path: Path) -> None:
    assert api.ask("POST", "/releases", edits="blue").status_code == 403
    assert "push a first commit" in api.ask("POST", "/releases").json()["message"]
    commit = committed(api.churn.path, tmp_path)
    lines = api.ask("POST", "/releases").text.splitlines()
    assert lines[-1] == f"released: {IMAGE}"
    assert recorded(api.churn.path)[0]["commit"] == commit


def committed(repository: Path, tmp_path: Path, file: str = "README.md") -> str:
    """Make a commit with an empty file on the branch that is released; give its id."""
    clone = tmp_path / f"clone-{file}"
    run = ["git", "-c", "user.name=ana", "-c", "user.email=ana@example.com"]
    subprocess.run([*run, "clone", "--quiet", str(repository), str(clone)], check=True)
    (clone / file).touch()
    for command in (
        ["add", file],
        ["commit", "--quiet", "--message=first"],
        ["push", "--quiet", "origin", "HEAD:main"],
    ):
        subprocess.run([*run, "-C", str(clone), *command], check=True, capture_output=True)
    say = ["git", "-C", str(clone), "rev-parse", "HEAD"]
    return subprocess.run(say, check=True, capture_output=True, text=True).stdout.strip()


def test_a_push_that_is_told_of_late_replaces_nothing(api: Serving, tmp_path: Path) -> None:
    """Hooks run side by side; the last commit of the branch is what counts."""
    before = committed(api.churn.path, tmp_path)
    after = committed(api.churn.path, tmp_path, "after")
    assert api.push(after)[-1] == f"released: {IMAGE}"
    said = f"not released: the push after it, {after[:12]}, is released already"
    assert api.push(before)[-1] == said
    assert [commit for commit, *_ in api.published] == [after]


# The client


def test_the_verbs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[tuple[str, str]] = []

    def follow(method: str, path: str) -> Iterator[str]:
        said.append((method, path))
        yield from ("check ...", ending)

    told = {"time": "T", "commit": ONE, "user": "ana", "state": "failed", "error": "check: no"}
    monkeypatch.setattr(releases, "ask", lambda method, path: [told])
    monkeypatch.setattr(releases, "follow", follow)
    releases.status("red/churn")
    assert capsys.readouterr().out == "T  111111111111  ana  failed  check: no\n"
    ending = "released: x"
    releases.release("red/churn")
    assert said == [("POST", "/models/red/churn/releases")]
    ending = "not released: y"
    with pytest.raises(NotehiveError, match="see above why"):
        releases.release("red/churn")


@pytest.mark.parametrize(
    ("origin", "model"),
    [
        ("https://site/git/red/churn.git", "red/churn"),
        ("http://api:8080/git/everyone/a-b", "everyone/a-b"),
        ("https://elsewhere.example.com/red/churn.git", ""),
        ("", ""),
    ],
)
def test_the_model_of_a_folder(
    origin: str, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run(("git", "init", "--quiet"), check=True)
    if origin:
        subprocess.run(("git", "remote", "add", "origin", origin), check=True)
    if model:
        assert releases.here() == model
    else:
        with pytest.raises(BadInput, match="is no clone of a model"):
            releases.here()


def test_lines_come_as_they_are_said(api: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEHIVE_URL", api.address)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "t")
    with pytest.raises(NotehiveError, match="only Nginx asks here"):
        list(client.follow("POST", "/models/red/churn/releases"))
