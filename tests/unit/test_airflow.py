"""Which requests reach Airflow, whom it takes for the one who asks, and what they may."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from notehive.airflow.door import Door
from notehive.airflow.identity import CURRENT, Identity
from notehive.airflow.rights import group_of, may, visible
from notehive.airflow.routes import is_inner, is_open
from notehive.gate.asker import asker

KEY = "k" * 64
TOLD = {"x-notehive-key": KEY, "x-notehive-user": "ana"}
DAG = "/api/v2/dags/red.churn.train"
NOBODY = Identity("nora", False, frozenset(), frozenset())
MEMBER = Identity("mia", False, frozenset({"red"}), frozenset())
READER = Identity("otto", False, frozenset({"blue"}), frozenset({"red"}))
ADMIN = Identity("ada", True, frozenset(), frozenset())


# Who asks


def test_who_asks() -> None:
    told = {**TOLD, "x-notehive-edits": "everyone,red", "x-notehive-reads": "blue"}
    ana = Identity("ana", False, frozenset({"everyone", "red"}), frozenset({"blue"}))
    assert asker(told, KEY) == ana
    assert (ana.get_id(), ana.get_name()) == ("ana", "ana")
    boss = asker({**TOLD, "x-notehive-admin": "yes"}, KEY)
    assert boss == Identity("ana", True, frozenset(), frozenset())


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"x-notehive-user": "ana"},
        {**TOLD, "x-notehive-key": ""},
        {**TOLD, "x-notehive-key": KEY[:-1]},
        {**TOLD, "x-notehive-key": "ü" * 64},
        {**TOLD, "x-notehive-user": ""},
        {"X-Notehive-Key": KEY, "X-Notehive-User": "ana"},  # servers give names in lower case
    ],
)
def test_nobody(told: dict[str, str]) -> None:
    assert asker(told, KEY) is None


# What they may


@pytest.mark.parametrize(
    ("dag", "group"),
    [
        ("red.churn.train", "red"),
        ("everyone.churn.train", "everyone"),
        ("red.churn.train.extra", "red"),
        ("red.churn", ""),
        ("red", ""),
        ("red.", ""),
        ("red..train", ""),
        (".churn.train", ""),
        ("", ""),
        ("~", ""),
    ],
)
def test_whose_a_dag_is(dag: str, group: str) -> None:
    assert group_of(dag) == group


@pytest.mark.parametrize(
    ("who", "dag", "sees", "changes"),
    [
        (NOBODY, "red.churn.train", False, False),
        (MEMBER, "red.churn.train", True, True),
        (READER, "red.churn.train", True, False),
        (ADMIN, "red.churn.train", True, True),
        (MEMBER, "blue.churn.train", False, False),
        (MEMBER, "redder.churn.train", False, False),
        (MEMBER, "Red.churn.train", False, False),
        # Of no group: misnamed, or the platform's own.
        (MEMBER, "red.churn", False, False),
        (MEMBER, "red", False, False),
        (MEMBER, "", False, False),
        (ADMIN, "maintenance", True, True),
        # All at once: what is shown of them is filtered.
        (NOBODY, None, True, False),
        (MEMBER, None, True, False),
        (ADMIN, None, True, True),
    ],
)
def test_rights(who: Identity, dag: str | None, sees: bool, changes: bool) -> None:
    assert may(who, "GET", dag) is sees
    assert {may(who, method, dag) for method in ("POST", "PUT", "DELETE")} == {changes}


def test_lists_of_dags() -> None:
    dags = {"red.churn.train", "red.churn.etl", "blue.risk.train", "own", "red.churn"}
    assert visible(MEMBER, "GET", dags) == {"red.churn.train", "red.churn.etl"}
    assert visible(READER, "GET", dags) == visible(MEMBER, "GET", dags) | {"blue.risk.train"}
    assert visible(READER, "PUT", dags) == {"blue.risk.train"}
    assert visible(NOBODY, "GET", dags) == set()
    assert visible(ADMIN, "PUT", dags) == dags


# Which requests


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/dags/red.churn.train/runs/manual__2026-01-01T00:00:00+00:00/tasks/prepare"),
        ("GET", "/static/assets/index.js"),
        ("GET", "/auth/login"),
        ("GET", "/api/v2/auth/logout"),
        ("GET", "/ui/config"),
        ("GET", "/ui/dags"),
        ("GET", "/ui/grid/runs/red.churn.train"),
        ("GET", "/ui/structure/structure_data"),
        ("GET", "/api/v2/dags"),
        ("PATCH", DAG),
        ("POST", f"{DAG}/dagRuns"),
        ("POST", f"{DAG}/clearTaskInstances"),
        ("GET", f"{DAG}/dagRuns/manual__2026-01-01T00:00:00+00:00/taskInstances/prepare/logs/1"),
        ("GET", f"{DAG}/dagRuns/r/taskInstances/prepare/xcomEntries/return_value"),
        ("POST", "/api/v2/backfills"),
        ("PUT", "/api/v2/backfills/1/pause"),
        ("GET", "/api/v2/dagSources/red.churn.train"),
        ("GET", "/api/v2/pools"),
        ("GET", "/api/v2/eventLogs"),
    ],
)
def test_open(method: str, path: str) -> None:
    assert is_open(method, path, admin=False)
    assert is_open(method, path, admin=True)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v2/connections"),
        ("POST", "/api/v2/connections/test"),
        ("PATCH", "/api/v2/variables/a/b"),
        ("POST", "/api/v2/pools"),
        ("GET", "/api/v2/config"),
        ("GET", "/api/v2/assets/events"),
        ("GET", "/api/v2/eventLogs/1"),
        ("GET", "/api/v2/importErrors"),
        ("GET", "/api/v2/plugins"),
        ("GET", "/api/v2/providers"),
        ("GET", "/api/v2/jobs"),
    ],
)
def test_for_administrators(method: str, path: str) -> None:
    assert not is_open(method, path, admin=False)
    assert is_open(method, path, admin=True)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("OPTIONS", "/"),
        ("GET", ""),
        ("GET", "//"),
        ("POST", "/auth/token"),
        ("GET", "/auth/token"),
        ("POST", "/auth/login"),
        ("GET", "/execution/health"),
        ("POST", "/execution/task-instances/1/run"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/redoc"),
        ("GET", "/pluginsv2/x"),
        ("GET", "/api"),
        ("GET", "/api/v1/dags"),
        ("GET", "/api/v2/"),
        ("GET", "/api/v2/none"),
        ("GET", "/ui/none"),
        ("PROPFIND", "/api/v2/dags"),
        ("GET", "/api/v2/dags/../connections"),
        ("GET", "/api/v2/dags/%2e%2e/connections"),
        ("GET", "/api/v2/dags//dagRuns"),
        ("GET", "/static/..\\x"),
        ("GET", "/dags/a\x00b"),
        ("GET", "/api/v2/dags\n"),
    ],
)
def test_closed(method: str, path: str) -> None:
    assert not is_open(method, path, admin=True)
    assert not is_open(method, path, admin=False)


def test_what_tasks_reach() -> None:
    assert is_inner("PATCH", "/execution/task-instances/1/run")
    assert is_inner("GET", "/api/v2/monitor/health")
    assert not is_inner("GET", "/api/v2/connections")
    assert not is_inner("GET", "/")


# The door, before a stand-in for Airflow that says whom it was told of


async def airflow(scope: Any, receive: Any, send: Any) -> None:
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    who = CURRENT.get(NOBODY).user
    body = json.dumps({"who": who, "path": scope["path"], "headers": headers}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def ask(path: str, headers: Mapping[str, str], port: int = 1) -> tuple[int, dict[str, str], Any]:
    """Make one request to a door; give status, headers and what is in the JSON."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "server": ("10.0.0.1", port),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Door(airflow, KEY, 2, "airflow:1")(scope, None, send))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    body = sent[1]["body"]
    return sent[0]["status"], found, json.loads(body) if body[:1] == b"{" else body


def test_airflow_is_told_who_asks_and_given_no_other_word_of_it() -> None:
    other = {"cookie": "_token=other", "authorization": "Bearer other"}
    status, _, told = ask("/airflow/", {**TOLD, **other})
    assert (status, told["who"], told["path"]) == (200, "ana", "/airflow/")
    assert told["headers"] == {**TOLD, "authorization": "Bearer gate"}


@pytest.mark.parametrize(
    ("path", "headers", "reason"),
    [
        ("/airflow/", {}, "only Nginx"),
        ("/airflow/", {"x-notehive-user": "ana"}, "only Nginx"),
        ("/airflow/execution/health", TOLD, "closed"),
        ("/airflow/api/v2/connections", TOLD, "closed"),
        ("/execution/health", TOLD, "closed"),
        ("/image", TOLD, "closed"),
        ("/airflowx/", TOLD, "closed"),
        ("/airflow", TOLD, "closed"),
        ("", TOLD, "closed"),
    ],
)
def test_what_goes_no_further(path: str, headers: dict[str, str], reason: str) -> None:
    status, _, told = ask(path, headers)
    assert status == 403
    assert reason in told["detail"]


def test_what_users_wrote_is_of_no_origin() -> None:
    assert ask("/airflow/api/v2/dags", TOLD)[1] == {"content-security-policy": "sandbox"}
    assert ask("/airflow/dags", TOLD)[1] == {}


def test_the_inner_port() -> None:
    assert ask("/image", {}, port=2)[2] == b"airflow:1"
    status, _, told = ask("/airflow/execution/health", {"authorization": "Bearer t"}, port=2)
    assert (status, told["headers"]) == (200, {"authorization": "Bearer t"})
    assert ask("/airflow/api/v2/dags", TOLD, port=2)[0] == 403
    assert ask("/airflow/", TOLD, port=2)[0] == 403
