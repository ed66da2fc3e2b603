"""The guard as Airflow's triggerer meets it: the body of a job, ways to spoil it, and its log."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.types import SecretReference

from notehive.guard import jobs
from notehive.hub import tokens
from notehive.hub.config import HubConfig
from notehive.jobs import service
from notehive.jobs.service import Begun, Size
from notehive.jobs.step import Attempt
from tests.support import bodies
from tests.support.bodies import CONTAINER, TASK, as_sent, mount, secret, spoiled
from tests.support.guard import Running, running

V = "/v1.41"
DIGEST = "a" * 64
IMAGE = f"127.0.0.1:5000/models/risk/churn@sha256:{DIGEST}"
ATTEMPT = Attempt("risk", "churn", "train", "prepare", "manual__1", 1)
LABELS = ATTEMPT.labels("nh")
NAME = ATTEMPT.service("nh")
OTHERS = Attempt("open", "churn", "train", "prepare", "manual__1", 1)
OWN, OTHER = "a" * 25, "c" * 25  # ids of secrets


def job(config: HubConfig, attempt: Attempt = ATTEMPT, image: str = IMAGE) -> Any:
    own = SecretReference(OWN, "own", filename="jupyterhub-token", uid="1000", gid="100", mode=256)
    small = Size("small", 1, 2**30, 100)
    return as_sent(**service.build(config, attempt, Begun(image, "c0ffee"), small, [own]))


@pytest.fixture(params=["local", "nfs"])
def guard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    config = bodies.config(nfs=request.param == "nfs")
    with running(config, tmp_path, calls=jobs.calls) as guard:
        token = {**LABELS, "notehive.kind": "job-token"}
        guard.engine.has("secrets", "own", OWN, token)
        theirs = {**OTHERS.labels("nh"), "notehive.kind": "job-token"}
        guard.engine.has("secrets", "other", OTHER, theirs)
        guard.engine.has("secrets", "licence-sas", bodies.LICENCE, {})
        guard.engine.has("secrets", "hubs", "d" * 25, {"notehive.stack": "nh"})
        guard.engine.has("services", NAME, "a1b2c3", LABELS)
        server = {"notehive.stack": "nh", "notehive.kind": "server"}
        guard.engine.has("services", "nh-ana", "d4e5f6", server)
        guard.engine.found["/services/a1b2c3/logs"] = b"\1\0\0\0\0\0\0\3one"
        guard.engine.found["/services/d4e5f6/logs"] = b"s3cr3t"
        yield guard


@pytest.fixture
def body(guard: Running, request: pytest.FixtureRequest) -> Any:
    nfs = "nfs" in request.node.callspec.id
    return job(bodies.config(nfs=nfs))


def create(guard: Running, body: Any) -> Any:
    return guard.ask("POST", f"{V}/services/create", body)


def test_a_job_is_made_as_it_was_asked_for(guard: Running, body: Any) -> None:
    reply = create(guard, body)
    assert reply.status == 201, reply.body
    [made] = guard.engine.changes
    sent = json.loads(made.body)
    assert sent["TaskTemplate"]["ContainerSpec"]["Image"] == IMAGE
    assert sent["Name"] == NAME


ATTACKS: list[tuple[tuple[str | int, ...], Any]] = [
    (("Name",), "nh_postgres"),
    (("Labels", "notehive.kind"), "server"),
    (("Labels", "notehive.group"), "open"),
    ((*CONTAINER, "Image"), "notehive/hub"),
    ((*CONTAINER, "Image"), "127.0.0.1:5000/models/risk/churn:latest"),
    ((*CONTAINER, "Image"), f"127.0.0.1:5000/models/risk/other@sha256:{DIGEST}"),
    ((*CONTAINER, "Image"), f"127.0.0.1:5000/models/open/churn@sha256:{DIGEST}"),
    ((*CONTAINER, "Image"), f"evil.example/models/risk/churn@sha256:{DIGEST}"),
    ((*CONTAINER, "Image"), f"127.0.0.1:5000/models/risk/churn@sha256:{DIGEST}\n"),
    ((*CONTAINER, "Command"), ["sh"]),
    ((*CONTAINER, "User"), "0"),
    ((*CONTAINER, "Sysctls"), {}),
    ((*CONTAINER, "CapabilityAdd"), ["SYS_ADMIN"]),
    ((*CONTAINER, "Mounts"), [mount("/")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/homes/runs/risk", Target="/mnt/run")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/homes/homes/ana-0123456789", Target="/mnt/run")]),
    # What the operator's own configuration of JupyterHub gives to servers is not for jobs.
    ((*CONTAINER, "Mounts"), [mount("/srv/reference")]),
    ((*CONTAINER, "Secrets"), [secret(bodies.LICENCE, "licence-sas")]),
    ((*TASK, "Networks"), [{"Target": "nh_users"}, {"Target": "spark"}]),
    ((*CONTAINER, "Secrets"), [secret(OTHER, "other")]),
    ((*CONTAINER, "Secrets"), [secret("d" * 25, "hubs")]),
    ((*TASK, "Networks"), [{"Target": "nh_jobs"}]),
    ((*TASK, "Resources", "Limits", "MemoryBytes"), 2**50),
    ((*TASK, "RestartPolicy", "Condition"), "any"),
]


@pytest.mark.parametrize(("place", "value"), ATTACKS, ids=lambda value: str(value)[:50])
def test_nothing_else_is(guard: Running, body: Any, place: Any, value: Any) -> None:
    reply = create(guard, spoiled(body, place, value))
    assert reply.status in (400, 403), reply.body
    assert not guard.engine.changes


@pytest.mark.parametrize("part", ["group", "model", "pipeline"])
def test_no_name_leads_out_of_the_runs(guard: Running, part: str) -> None:
    """Labels make the path of the run's directory."""
    names = {"group": "risk", "model": "churn", "pipeline": "train"} | {part: "../../homes"}
    attempt = Attempt(names["group"], names["model"], names["pipeline"], "fit", "manual__1", 1)
    image = f"127.0.0.1:5000/models/{attempt.group}/{attempt.model}@sha256:{DIGEST}"
    config = bodies.config()
    assert create(guard, job(config, attempt, image)).status == 403
    assert not guard.engine.changes


def test_a_group_that_is_none(guard: Running) -> None:
    attempt = Attempt("nobodys", "churn", "train", "prepare", "manual__1", 1)
    image = f"127.0.0.1:5000/models/nobodys/churn@sha256:{DIGEST}"
    assert create(guard, job(bodies.config(), attempt, image)).status == 403


def test_a_token_is_of_its_job(guard: Running) -> None:
    labels = {**LABELS, "notehive.kind": "job-token"}
    secret = {"Name": f"{tokens.beginning(NAME)}01234567", "Labels": labels, "Data": "c2VjcmV0"}
    assert guard.ask("POST", f"{V}/secrets/create", secret).status == 201
    for spoil in ({"Name": "nh_hub-cookie.2"}, {"Labels": {**labels, "notehive.kind": "token"}}):
        assert guard.ask("POST", f"{V}/secrets/create", secret | spoil).status == 403


def test_a_job_is_looked_at_and_removed(guard: Running) -> None:
    assert guard.ask("GET", f"{V}/services/{NAME}").data["Spec"] == {
        "Name": NAME,
        "Labels": LABELS,
    }
    assert guard.ask("DELETE", f"{V}/services/{NAME}").status == 200
    assert guard.engine.changes[-1].path == f"{V}/services/a1b2c3"


def test_its_log_is_passed_on(guard: Running) -> None:
    for query in ("stdout=1&stderr=1", "follow=1&stdout=1&stderr=1", "stdout=1&stderr=1&tail=20"):
        reply = guard.ask("GET", f"{V}/services/{NAME}/logs?{query}")
        assert reply.status == 200
        assert b"\1\0\0\0\0\0\0\3one" in reply.body
        assert guard.engine.reached[-1].path == f"{V}/services/a1b2c3/logs?{query}"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("services/nh-ana/logs?stdout=1&stderr=1", 403),
        ("services/gone/logs?stdout=1&stderr=1", 404),
        (f"services/{NAME}/logs", 400),
        (f"services/{NAME}/logs?stdout=1&stderr=1&details=1", 400),
        (f"services/{NAME}/logs?stdout=1&stderr=1&tail=all", 400),
        (f"services/{NAME}/logs?Stdout=1", 400),
        (f"tasks/{NAME}/logs?stdout=1&stderr=1", 403),
        (f"containers/{NAME}/logs?stdout=1&stderr=1", 403),
        ("services/nh-ana", 403),
        ("secrets/hubs", 403),
        ("configs", 403),
        ("info", 403),
    ],
)
def test_no_other_is(guard: Running, path: str, status: int) -> None:
    reply = guard.ask("GET", f"{V}/{path}")
    assert reply.status == status
    assert b"s3cr3t" not in reply.body


def test_what_it_did_not_make_stays(guard: Running) -> None:
    for path in ("services/nh-ana", "secrets/hubs"):
        assert guard.ask("DELETE", f"{V}/{path}").status == 403
    assert not guard.engine.changes
