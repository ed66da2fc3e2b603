"""Repositories from outside: a signed webhook, a real git over HTTPS, and what follows from it.

The API that is told of pushes is a stand-in here, which writes down what it hears.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web

from notehive.api import records
from notehive.api.pushes import FILE
from notehive.api.releases import FAILED, RELEASED, RUNNING
from notehive.errors import NotehiveError
from notehive.git.app import Door
from notehive.git.housekeeping import Housekeeping
from notehive.git.repositories import Repositories, Repository, last_commit
from notehive.outside.config import OutsideConfig
from notehive.outside.hosts import HOSTS, is_shown, places
from notehive.outside.mirror import Mirror
from notehive.outside.pushes import Pushes
from notehive.outside.statuses import Status, Statuses, call
from notehive.outside.webhook import LARGEST, PATH, Webhook
from tests.support.git_host import SECRET, STATUS_TOKEN, TOKEN, USER, GitHost
from tests.support.listening import listening
from tests.support.site import wait_for

MODEL, KEY = "red/churn", "k" * 64
PROVIDERS = list(HOSTS)


@dataclass
class Outside:
    """A server outside, the service `git` here, and what the API has heard."""

    host: GitHost
    root: Path
    config: OutsideConfig
    mirror: Mirror
    pushes: Pushes
    address: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)

    def send(
        self, body: bytes, headers: dict[str, str] | None = None, method: str = "POST"
    ) -> requests.Response:
        """Send a webhook, as the server outside does."""
        given = self.host.signed(body) if headers is None else headers
        url = f"{self.address}{PATH}"
        return requests.request(method, url, data=body, headers=given, timeout=60)

    @property
    def here(self) -> str:
        """The commit that has come; nothing if none has."""
        found = Repositories(self.root).find("red", "churn")
        commit = last_commit(found) if found else None
        return commit.id if commit else ""

    def hears(self, count: int) -> list[dict[str, Any]]:
        """Wait until the API has heard of so many pushes."""
        wait_for("the API hears", lambda: len(self.heard) >= count, 20)
        return self.heard


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def outside(tmp_path: Path, provider: str) -> Iterator[Outside]:
    with serving(tmp_path, provider) as found:
        yield found


@pytest.fixture
def github(tmp_path: Path) -> Iterator[Outside]:
    with serving(tmp_path, "github") as found:
        yield found


@contextmanager
def serving(directory: Path, provider: str) -> Iterator[Outside]:
    """All of it, listening."""
    heard: list[dict[str, Any]] = []

    async def hear(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer of git"
        push = await request.json()
        heard.append(push)
        records.add(root / f"{MODEL}.git" / FILE, updates=push["updates"])
        return web.Response(text="http://site/git/red/churn.git/\nreleased: image\n")

    async def make_api() -> web.AppRunner:
        app = web.Application()
        app.add_routes([web.post("/pushes", hear)])
        return web.AppRunner(app)

    host, root, token = GitHost(directory, provider), directory / "srv", directory / "token"
    root.mkdir()
    token.write_text(TOKEN)
    with host.running(), listening(make_api) as api:
        config = OutsideConfig(
            provider=provider,
            repositories={MODEL: host.url},
            branch="main",
            user=USER,
            certificates=host.authority.file.read_text(),
            known_hosts="",
        )
        keeping = Housekeeping()
        mirror = Mirror(config, Repositories(root), 8 << 20, token)
        pushes = Pushes(mirror, "of git", keeping, api)

        async def make() -> web.ServerRunner:
            webhook = Webhook(config, SECRET, pushes)
            door = Door(Repositories(root), KEY, "http://site", keeping, 1 << 20, "", webhook)
            return web.ServerRunner(web.Server(door, auto_decompress=False))

        with listening(make) as address:
            yield Outside(host, root, config, mirror, pushes, address, heard)


# What is pushed


def test_a_push_is_fetched_and_told(outside: Outside) -> None:
    first = outside.host.commit({"a.txt": "one"})
    answer = outside.send(outside.host.told(first))
    assert (answer.status_code, answer.text) == (200, f"{MODEL}: has {first} now\n")
    assert outside.here == first
    second = outside.host.commit({"a.txt": "two"})
    assert outside.send(outside.host.told(second)).status_code == 200
    user = f"ana@{outside.config.server}"
    assert outside.hears(2) == [
        {
            "repository": MODEL,
            "user": user,
            "updates": [{"ref": "refs/heads/main", "old": old, "new": new}],
        }
        for old, new in (("0" * 40, first), (first, second))
    ]


def test_a_delivery_counts_once(outside: Outside) -> None:
    body = outside.host.told(outside.host.commit({"a.txt": "one"}))
    headers = outside.host.signed(body)
    assert outside.send(body, headers).status_code == 200
    asked = len(outside.host.asked)
    answer = outside.send(body, headers)
    assert (answer.status_code, answer.text) == (
        409,
        f"{MODEL}: this delivery has been taken in before\n",
    )
    # What is not signed cannot make another delivery of it.
    others = {"X-GitHub-Delivery": "2", "X-Gitea-Delivery": "2", "X-Gitlab-Event-UUID": "2"}
    assert outside.send(body, {**headers, **others}).status_code == 409
    assert len(outside.host.asked) == asked
    assert len(outside.hears(1)) == 1


def test_who_has_not_the_secret_is_refused(outside: Outside) -> None:
    body = outside.host.told(outside.host.commit({"a.txt": "one"}))
    good = outside.host.signed(body)
    shows = next(name for name in good if "Signature" in name or "Token" in name)
    for shown in ("", "sha256=", "x", "\xff", good[shows][:-1], good[shows] + "0"):
        assert outside.send(body, {**good, shows: shown}).status_code == 401, shown
    assert outside.send(body, outside.host.signed(body, "another secret")).status_code == 401
    assert outside.send(body, {"Content-Type": "application/json"}).status_code == 401
    if outside.host.provider != "gitlab":  # which signs nothing
        assert outside.send(body.replace(b"ana", b"eve"), good).status_code == 401
    # Nor does a login help, or the signature that another kind of server gives.
    told = {"X-Notehive-Key": KEY, "X-Notehive-User": "ada", "X-Notehive-Admin": "yes"}
    assert outside.send(body, {"Content-Type": "application/json", **told}).status_code == 401
    assert (outside.host.asked, outside.here, outside.heard) == ([], "", [])


def test_other_repositories_are_refused(outside: Outside) -> None:
    commit = outside.host.commit({"a.txt": "one"})
    for place in ("ml/other", "ml/churn/x", "x/ml/churn", "churn", ""):
        answer = outside.send(outside.host.told(commit, place=place))
        assert answer.status_code == 404, place
        assert "git.external.repositories" in answer.text
    assert (outside.host.asked, outside.here) == ([], "")


def test_the_address_is_the_operators(outside: Outside) -> None:
    """What a body says of the server is not believed: it is fetched from where it always is."""
    commit = outside.host.commit({"a.txt": "one"})
    body = outside.host.told(commit).replace(
        outside.host.address.encode(), b"http://169.254.169.254"
    )
    assert outside.send(body).status_code == 200
    assert outside.here == commit


def test_what_is_no_push_of_the_branch_is_left_alone(outside: Outside) -> None:
    host, commit = outside.host, outside.host.commit({"a.txt": "one"})
    body = host.told(commit)
    for sent, headers in (
        (body, host.signed(body, event="ping")),
        (host.told(commit, ref="refs/heads/work"), None),
        (host.told(commit, ref="refs/tags/main"), None),
        (host.told("0" * 40), None),  # deleted
    ):
        answer = outside.send(sent, headers)
        assert (answer.status_code, answer.text[:10]) == (200, "well heard")
    assert (host.asked, outside.here) == ([], "")


def test_what_cannot_be_read_is_refused(outside: Outside) -> None:
    def status(body: bytes, **headers: str) -> int:
        given = {**outside.host.signed(body), **headers}
        return outside.send(body, given).status_code

    good = outside.host.told(outside.host.commit({"a.txt": "one"}))
    assert status(b"payload=%7B%7D", **{"Content-Type": "application/x-www-form-urlencoded"}) == 415
    for bad in (b"", b"{}", b"[]", b"\xff", b"null", good.replace(b'"after"', b'"x"')):
        assert status(bad) == 400, bad
    assert status(good.replace(b'"after": "', b'"after": "--upload-pack=')) == 400
    assert status(b" " * (LARGEST + 1)) == 413
    assert outside.send(b"", method="GET").status_code == 405
    assert (outside.host.asked, outside.here) == ([], "")


# What goes wrong outside


def test_what_cannot_be_fetched_may_be_sent_again(github: Outside) -> None:
    token = github.mirror.token
    body = github.host.told(github.host.commit({"a.txt": "one"}))
    token.write_text("expired")
    answer = github.send(body)
    assert answer.status_code == 502
    assert answer.text.startswith(f"{MODEL}: cannot be fetched: ")
    assert "fatal: Authentication failed" in answer.text
    assert TOKEN not in answer.text
    token.write_text(TOKEN)
    assert github.send(body).status_code == 200
    assert len(github.hears(1)) == 1


def test_a_commit_that_is_not_there(github: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notehive.outside.pushes.PAUSES", (0.0, 0.01))
    github.host.commit({"a.txt": "one"})
    answer = github.send(github.host.told("1" * 40))
    assert (answer.status_code, answer.text) == (
        502,
        f"{MODEL}: {'1' * 40} is not there; send the webhook again\n",
    )
    assert github.hears(1)[0]["updates"][0]["new"] == github.here, "what is there is released"


def test_nobody_is_sent_on(github: Outside) -> None:
    asked: list[str] = []

    async def inside(request: web.BaseRequest) -> web.Response:
        asked.append(request.raw_path)
        return web.Response()

    async def make() -> web.ServerRunner:
        return web.ServerRunner(web.Server(inside))

    with listening(make) as address:
        github.host.redirect = f"{address}/latest/meta-data"
        answer = github.send(github.host.told("1" * 40))
    assert (answer.status_code, asked) == (502, [])


def test_too_much_is_not_taken(github: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github.mirror, "most", 1 << 20)
    content = "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(60_000))
    answer = github.send(github.host.told(github.host.commit({"data.txt": content})))
    assert answer.status_code == 502
    assert github.here == ""


def test_a_server_that_nobody_vouches_for(github: Outside, tmp_path: Path) -> None:
    config = github.config.model_copy(update={"certificates": ""})
    github.host.commit({"a.txt": "one"})
    stranger = Mirror(config, Repositories(github.root), 8 << 20, github.mirror.token)
    with pytest.raises(NotehiveError, match=r"cannot be fetched: .*certificate"):
        asyncio.run(stranger.fetch(MODEL))


def test_what_was_missed_is_caught_up_with(github: Outside) -> None:
    async def begin() -> None:
        await github.pushes.catch_up()
        await asyncio.gather(*github.pushes._telling)

    commit = github.host.commit({"a.txt": "one"})
    asyncio.run(begin())
    assert github.here == commit
    (told,) = github.hears(1)
    assert (told["user"], told["updates"][0]["new"]) == (github.config.server, commit)
    asyncio.run(begin())
    assert len(github.heard) == 1, "nothing is new"


def test_what_nobody_heard_of_is_told_again(github: Outside) -> None:
    """The service ended when it had fetched, and before the API had heard."""
    commit = github.host.commit({"a.txt": "one"})
    asyncio.run(github.mirror.fetch(MODEL))
    assert github.here == commit
    answer = github.send(github.host.told(commit))
    assert (answer.status_code, len(github.hears(1))) == (200, 1)


def test_nobody_pushes_here(github: Outside) -> None:
    github.send(github.host.told(github.host.commit({"a.txt": "one"})))
    told = {"X-Notehive-Key": KEY, "X-Notehive-User": "ada", "X-Notehive-Admin": "yes"}
    where = f"{github.address}/{MODEL}.git"
    for service, status in (("git-upload-pack", 200), ("git-receive-pack", 403)):
        url = f"{where}/info/refs?service={service}"
        assert requests.get(url, headers=told, timeout=60).status_code == status
    answer = requests.post(f"{where}/git-receive-pack", b"0000", headers=told, timeout=60)
    assert answer.text == f"{MODEL}: comes from {github.config.server}; push there\n"


# Words


def test_githubs_own_example_of_a_signature() -> None:
    """Of its documentation of webhooks."""
    shown = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"X-Hub-Signature-256": f"sha256={shown}"}
    secret, body = "It's a Secret to Everybody", b"Hello, World!"
    assert is_shown(HOSTS["github"], headers, secret, body)
    assert not is_shown(HOSTS["github"], headers, "", body)


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/ml/churn.git",
        "https://example.com:8443/ml/churn",
        "git@example.com:ml/churn.git",
        "ssh://git@example.com:2222/ml/churn.git",
    ],
)
def test_where_a_repository_is(address: str) -> None:
    assert places(address) == {"ml/churn"}


# Statuses


@pytest.mark.parametrize(
    ("provider", "address", "url", "state"),
    [
        (
            "gitlab",
            "https://gitlab.example.com:8443/ml/team/churn.git",
            "https://gitlab.example.com:8443/api/v4/projects/ml%2Fteam%2Fchurn/statuses/c0ffee",
            "failed",
        ),
        (
            "gitlab",
            "ssh://git@gitlab.example.com:2222/ml/churn.git",
            "https://gitlab.example.com/api/v4/projects/ml%2Fchurn/statuses/c0ffee",
            "failed",
        ),
        (
            "github",
            "https://github.com/ml/churn",
            "https://api.github.com/repos/ml/churn/statuses/c0ffee",
            "failure",
        ),
        (
            "github",
            "https://github.example.com/ml/churn.git",
            "https://github.example.com/api/v3/repos/ml/churn/statuses/c0ffee",
            "failure",
        ),
        (
            "gitea",
            "https://gitea.example.com/ml/churn.git",
            "https://gitea.example.com/api/v1/repos/ml/churn/statuses/c0ffee",
            "failure",
        ),
    ],
)
def test_calls(provider: str, address: str, url: str, state: str) -> None:
    config = OutsideConfig(
        provider=provider,
        repositories={MODEL: address},
        branch="main",
        user="",
        certificates="",
        known_hosts="",
    )
    found = call(config, "t", Status(MODEL, "c0ffee", FAILED, "check: " + "x" * 200, "http://p"))
    assert (found.url, found.body["state"], found.body["target_url"]) == (url, state, "http://p")
    assert len(found.body["description"]) == 140


def test_statuses_are_set_in_their_order(outside: Outside) -> None:
    host = outside.host
    ours = Repository("red", "churn", outside.root)

    async def tell(token: str, *states: str) -> None:
        statuses = Statuses(outside.config, token, "https://site")
        application = web.Application()
        application.cleanup_ctx.append(statuses.running)
        runner = web.AppRunner(application)
        await runner.setup()
        statuses.heard(Repository("red", "other", outside.root), "1" * 40, RUNNING, "")
        for state in states:
            statuses.heard(ours, "1" * 40, state, "check: bad" if state == FAILED else "")
        await statuses._waiting.join()
        await runner.cleanup()

    asyncio.run(tell("wrong", RUNNING))
    assert host.statuses == []
    asyncio.run(tell(STATUS_TOKEN, RUNNING, FAILED, RUNNING, RELEASED))
    begun = "running" if host.provider == "gitlab" else "pending"
    failed = "failed" if host.provider == "gitlab" else "failure"
    assert [(body["state"], body["description"]) for _, body in host.statuses] == [
        (begun, "running"),
        (failed, "check: bad"),
        (begun, "running"),
        ("success", "released"),
    ]
    page = f"https://site/notehive-api/models/red/churn/releases/{'1' * 40}/log"
    assert {body["target_url"] for _, body in host.statuses} == {page}
