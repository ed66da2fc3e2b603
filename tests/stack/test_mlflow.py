"""What MLflow could be talked into: its open endpoints, paths that mean another, false names."""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from notehive.mlflow.routes import is_open
from tests.support.hub import User, user
from tests.support.site import Answer, Site, fetch

TEAM, GUILD = "lab", "guild"  # of the tests' settings; GUILD shares with everyone
API = "/mlflow/api/2.0/mlflow"
FILES = "/mlflow/api/2.0/mlflow-artifacts/artifacts"
# Every route of the server as it runs, those of Flask and those of FastAPI.
LIST_ROUTES = """
import json, os
os.environ["MLFLOW_FLASK_SERVER_SECRET_KEY"] = "x"
from mlflow.server import app, fastapi_app, mcp_server_api
found = {(m, r.rule) for r in app.url_map.iter_rules() for m in r.methods}
for router in ("artifact", "assistant", "gateway", "job_api", "otel", "server_info"):
    for r in getattr(fastapi_app, router + "_router").routes:
        found |= {(m, r.path) for m in r.methods}
for r in fastapi_app.mcp_server_router.routes:
    found |= {(m, p + r.path) for m in r.methods
              for p in mcp_server_api.get_mcp_server_api_route_prefixes()}
print(json.dumps(sorted(found)))
"""
ATTACHMENT = "8c2f0f6e-58f4-4c6a-9f0e-1d1f5a7f3b10"  # of a trace
# What only reads, though not by GET.
READING = re.compile(r"search|batchGet|/metrics$|correlation|graphql|get-latest-versions")


@dataclass
class Secret:
    """Somebody's run of TEAM, and its file."""

    owner: User
    experiment: str
    run: str

    @property
    def place(self) -> str:
        """Where the run's files are, below the root of all files."""
        return f"workspaces/{TEAM}/{self.experiment}/{self.run}/artifacts"


def ask(
    asker: User, method: str, path: str, body: Any = None, workspace: str = "", **more: str
) -> Answer:
    """Make one request through Nginx."""
    headers = {
        "Authorization": f"Bearer {asker.token}",
        "Content-Type": "application/json",
        **({"X-MLFLOW-WORKSPACE": workspace} if workspace else {}),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    return fetch(asker.site, path, method=method, headers=headers, body=data)


def made(asker: User, path: str, body: Any, workspace: str) -> Any:
    """Make a request that must succeed; give its JSON."""
    answer = ask(asker, "POST", API + path, body, workspace)
    assert answer.status == 200, answer
    return json.loads(answer.body)


def a_run(owner: User, workspace: str) -> tuple[str, str]:
    """Make an experiment and a run; give their ids."""
    body = {"name": f"secret-{uuid4().hex}"}
    experiment = made(owner, "/experiments/create", body, workspace)["experiment_id"]
    run = made(owner, "/runs/create", {"experiment_id": experiment}, workspace)
    return experiment, run["run"]["info"]["run_id"]


@pytest.fixture(scope="module")
def secret(site: Site) -> Iterator[Secret]:
    """What everybody else tries to reach."""
    with user(site, "sara", "--group", TEAM) as sara:
        secret = Secret(sara, *a_run(sara, TEAM))
        for name in ("s.txt", "traces.json", f"attachments/{ATTACHMENT}", "page.html"):
            answer = ask(sara, "PUT", f"{FILES}/{secret.place}/{name}", b"TOPSECRET", TEAM)
            assert answer.status == 200, answer
        yield secret


@pytest.fixture(scope="module")
def gerd(site: Site) -> Iterator[User]:
    """A member of GUILD."""
    with user(site, "gerd", "--group", GUILD) as gerd:
        yield gerd


@pytest.fixture(scope="module")
def nils(site: Site) -> Iterator[User]:
    """A user without a group."""
    with user(site, "nils") as nils:
        yield nils


@pytest.fixture(scope="module")
def boss(site: Site) -> Iterator[User]:
    """An administrator."""
    with user(site, "boss", "--admin") as boss:
        yield boss


@pytest.fixture(scope="module")
def routes(site: Site) -> list[tuple[str, str]]:
    """Every method and path that MLflow's server knows, with something in the place of names."""
    listed = site.exec("mlflow", "python3", "-W", "ignore", "-c", LIST_ROUTES).splitlines()[-1]
    found = [(method, re.sub(r"<[^>]+>|{[^}]+}", "1", rule)) for method, rule in json.loads(listed)]
    assert len(found) > 400
    return found


def test_no_route_is_open_to_nobody(site: Site, routes: list[tuple[str, str]]) -> None:
    for method, path in routes:
        answer = fetch(site, f"/mlflow{path}", method=method)
        # 403: a request without a token that changes something must come from a page of the site.
        assert answer.status == 401 or b"nginx" in answer.body, (method, path, answer)
        assert answer.status in (401, 403), (method, path, answer)


def test_what_is_not_named_is_closed_even_to_administrators(
    boss: User, routes: list[tuple[str, str]]
) -> None:
    closed = [(method, path) for method, path in routes if not is_open(method, path)]
    assert len(closed) > 100
    for method, path in closed:
        answer = ask(boss, method, f"/mlflow{path}", b"{}")
        assert answer.status == 403, (method, path, answer)
        assert method == "HEAD" or b"is closed" in answer.body, (method, path, answer)


@pytest.mark.parametrize("workspace", [TEAM, GUILD])
def test_no_route_changes_what_belongs_to_others(
    nils: User, routes: list[tuple[str, str]], workspace: str
) -> None:
    for method, path in routes:
        if method in ("GET", "HEAD", "OPTIONS") or READING.search(path):
            continue
        answer = ask(nils, method, f"/mlflow{path}", b"{}", workspace)
        assert answer.status in (400, 403, 404, 405), (method, path, answer)
        if workspace == TEAM:
            assert answer.status == 403, (method, path, answer)


def secret_paths(secret: Secret) -> Iterator[str]:
    """Ways to a file of TEAM from the place of another."""
    file = f"{secret.place.removeprefix('workspaces/')}/s.txt"
    short = secret.place.partition(f"{TEAM}/")[2]
    for dots, slash in itertools.product(("..", "%2e%2e", "%252e%252e"), ("/", "%2f", "%252f")):
        yield f"{FILES}/0/r{slash}{slash.join([dots, dots])}{slash}workspaces/{file}"
        yield f"{FILES}/workspaces/{GUILD}{slash}{dots}{slash}{file}"
    yield f"{FILES}/{secret.place}/s.txt"
    yield f"{FILES}/./{secret.place}/s.txt"
    yield f"{FILES}//{secret.place}/s.txt"
    yield f"{FILES}/0/..%5c{secret.place}/s.txt"
    yield f"{FILES}/{short}/s.txt"
    yield f"{FILES}/{secret.place}%00/s.txt"
    yield f"{FILES}/0/../../../../proc/self/environ"
    yield f"{FILES}?path={secret.place}"
    yield f"{FILES}?path=workspaces"
    yield f"{FILES}?path=0/../{secret.place}"
    yield f"{FILES}?path=0/%252e%252e/{secret.place}"
    yield f"{FILES}?path="
    yield FILES
    yield f"/mlflow/get-artifact?run_uuid={secret.run}&path=s.txt"
    yield f"/mlflow//get-artifact?run_uuid={secret.run}&path=s.txt"
    yield f"/mlflow/mlflow/get-artifact?run_uuid={secret.run}&path=s.txt"
    yield f"/mlflow/ajax-api/2.0/mlflow/artifacts/list?run_id={secret.run}"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "POST", "OPTIONS", "TRACE"])
def test_no_path_leads_to_the_files_of_others(secret: Secret, gerd: User, method: str) -> None:
    body = b"changed" if method in ("PUT", "POST") else None
    for path in secret_paths(secret):
        for workspace in ("", "default", GUILD, TEAM, TEAM.upper(), f"{TEAM},{GUILD}", "*"):
            answer = ask(gerd, method, path, body, workspace)
            assert answer.status >= 400, (path, workspace, answer)
            assert b"TOPSECRET" not in answer.body, (path, workspace)
    kept = ask(secret.owner, "GET", f"{FILES}/{secret.place}/s.txt", workspace=TEAM)
    assert kept.body == b"TOPSECRET"


def test_two_workspaces_in_one_request_are_none(secret: Secret, gerd: User) -> None:
    path = f"{API}/runs/get?run_id={secret.run}"
    for first, second in ((TEAM, GUILD), (GUILD, TEAM)):
        # Header names are the same in any case, but not the same key here.
        answer = ask(gerd, "GET", path, workspace=first, x_mlflow_workspace=second)
        assert answer.status == 403, answer


@pytest.mark.parametrize(
    "location", ["mlflow-artifacts:/workspaces/lab/1", "file:///etc", "/etc", "http://hub:8081/"]
)
def test_nobody_says_where_files_are(gerd: User, location: str) -> None:
    for workspace in ("default", GUILD):
        body = {"name": f"x-{uuid4().hex}", "artifact_location": location}
        answer = ask(gerd, "POST", f"{API}/experiments/create", body, workspace)
        assert answer.status == 400, answer


def test_a_model_is_made_of_ones_own_files(secret: Secret, gerd: User) -> None:
    experiment, run = a_run(gerd, GUILD)
    own = f"mlflow-artifacts:/workspaces/{GUILD}/{experiment}/{run}/artifacts"
    name = f"model-{uuid4().hex}"
    made(gerd, "/registered-models/create", {"name": name}, GUILD)
    foreign = f"mlflow-artifacts:/{secret.place}"
    up = "/".join([".."] * 4)
    for source, run_id in (
        (foreign, ""),
        (foreign, run),
        (foreign, secret.run),
        (f"{own}/{up}/{TEAM}/{secret.experiment}/{secret.run}/artifacts", run),
        (f"{own}/%2e%2e/%2e%2e/{TEAM}", run),
        (f"runs:/{secret.run}/s.txt", ""),
        (f"runs:/{secret.run}/s.txt", secret.run),
        ("models:/m-0123/1", ""),
        ("/etc/passwd", ""),
        ("file:///etc/passwd", ""),
        ("http://hub:8081/hub/health", ""),
        ("http://169.254.169.254/latest", run),
        ("s3://bucket/key", ""),
        ("ftp://hub/x", ""),
        ("hdfs://hub/x", ""),
        (f"mlflow-artifacts://hub:8081/{secret.place}", run),
    ):
        body = {"name": name, "source": source, **({"run_id": run_id} if run_id else {})}
        answer = ask(gerd, "POST", f"{API}/model-versions/create", body, GUILD)
        assert answer.status in (400, 403, 404), (source, run_id, answer)
    made(gerd, "/model-versions/create", {"name": name, "source": own, "run_id": run}, GUILD)


def a_trace(
    owner: User, experiment: str, workspace: str, tags: dict[str, str], *, early: bool = False
) -> str:
    """Log a trace without data, with these tags, ``early`` from the start; give its id."""
    path = "/mlflow/api/3.0/mlflow/traces"
    place = {"experiment_id": experiment}
    info = {
        "trace_id": f"tr-{uuid4().hex}",
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": place},
        "request_time": "2026-01-01T00:00:00Z",
        "state": "OK",
        "tags": tags if early else {},
    }
    answer = ask(owner, "POST", path, {"trace": {"trace_info": info}}, workspace)
    assert answer.status == 200 or early, answer
    for key, value in () if early else tags.items():
        tag = {"key": key, "value": value}
        answer = ask(owner, "PATCH", f"{path}/{info['trace_id']}/tags", tag, workspace)
        assert answer.status == 200 or b"immutable" in answer.body, answer
    return str(info["trace_id"])


def data_of(asker: User, trace: str, workspace: str) -> Iterator[Answer]:
    """Ask for the data of a trace in each way that there is."""
    for kind, more in itertools.product(("2.0", "3.0"), ("", f"&path={ATTACHMENT}")):
        query = f"?request_id={trace}{more}"
        path = f"/mlflow/ajax-api/{kind}/mlflow/get-trace-artifact{query}"
        yield ask(asker, "GET", path, None, workspace)
    yield ask(asker, "GET", f"/mlflow/api/3.0/mlflow/traces/get?trace_id={trace}", None, workspace)
    body = {"trace_ids": [trace]}
    yield ask(asker, "POST", "/mlflow/api/3.0/mlflow/traces/batchGetInfos", body, workspace)


def test_a_traces_data_are_where_it_says(secret: Secret) -> None:
    place = {"mlflow.artifactLocation": f"mlflow-artifacts:/{secret.place}"}
    trace = a_trace(secret.owner, secret.experiment, TEAM, place)
    assert any(b"TOPSECRET" in answer.body for answer in data_of(secret.owner, trace, TEAM))


def test_but_only_in_its_own_workspace(secret: Secret, gerd: User) -> None:
    experiment, _ = a_run(gerd, GUILD)
    own, short = f"mlflow-artifacts:/workspaces/{GUILD}", secret.place.removeprefix("workspaces/")
    tries = [
        (place, False)
        for place in (
            f"mlflow-artifacts:{secret.place}",
            f"mlflow-artifacts:///{secret.place}",
            f"mlflow-artifacts://mlflow:5000/{secret.place}",
            f"{own}/../{short}",
            f"{own}/{experiment}/../../{secret.place}",
            f"{own}/%2e%2e/{short}",
            f"/var/lib/mlflow/{secret.place}",
            f"file:///var/lib/mlflow/{secret.place}",
            f"http://mlflow:5000/api/2.0/mlflow-artifacts/artifacts/{secret.place}",
        )
    ]
    plainly = f"mlflow-artifacts:/{secret.place}"
    for place, early in [*tries, (plainly, False), (plainly, True)]:
        tags = {
            "mlflow.artifactLocation": place,
            "mlflow.trace.archiveLocation": place,
            "mlflow.trace.spansLocation": "ARCHIVE_REPO",
        }
        for workspace, where in ((GUILD, experiment), ("default", "0")):
            trace = a_trace(gerd, where, workspace, tags, early=early)
            for answer in data_of(gerd, trace, workspace):
                assert b"TOPSECRET" not in answer.body, (place, answer)


def test_a_file_has_the_name_that_it_was_given(secret: Secret) -> None:
    name, written = "ünter 100%.txt", "%C3%BCnter%20100%25.txt"
    path = f"{FILES}/{secret.place}/odd/{written}"
    assert ask(secret.owner, "PUT", path, b"odd", TEAM).status == 200
    assert ask(secret.owner, "GET", path, workspace=TEAM).body == b"odd"
    listed = ask(secret.owner, "GET", f"{FILES}?path={secret.place}/odd", workspace=TEAM)
    assert [each["path"] for each in json.loads(listed.body)["files"]] == [name]


def test_graphql_asks_the_same_questions(secret: Secret, gerd: User) -> None:
    query = 'query { mlflowGetRun(input: {runId: "%s"}) { run { info { runName } } } }'
    body = {"query": query % secret.run}

    def found(asker: User, workspace: str) -> bool:
        answer = ask(asker, "POST", "/mlflow/graphql", body, workspace)
        return answer.status == 200 and b"runName" in answer.body

    assert found(secret.owner, TEAM)
    assert not any(found(gerd, workspace) for workspace in ("", "default", GUILD, TEAM))


@pytest.mark.parametrize(
    "named",
    [
        {"X_Notehive_User": "boss", "X_Notehive_Admin": "yes"},
        {"X_Notehive_Edits": TEAM, "X_Notehive_Reads": TEAM},
        {"X_Notehive_Key": "0" * 64, "X_Notehive_Edits": TEAM},
    ],
)
def test_nobody_names_themselves(secret: Secret, gerd: User, named: dict[str, str]) -> None:
    path = f"{API}/runs/get?run_id={secret.run}"
    assert ask(gerd, "GET", path, workspace=TEAM, **named).status == 403
    answer = ask(gerd, "GET", "/mlflow/ajax-api/2.0/mlflow/users/current", **named)
    assert json.loads(answer.body)["user"] == {"id": 0, "username": "gerd", "is_admin": False}


@pytest.mark.parametrize("key", ["", "0" * 64])
def test_who_is_beside_mlflow_is_nobody_to_it(site: Site, secret: Secret, key: str) -> None:
    """From a container of the same network, past Nginx."""
    headers = {
        "X-Notehive-User": "boss",
        "X-Notehive-Admin": "yes",
        "X-Notehive-Key": key,
        "X-MLFLOW-WORKSPACE": TEAM,
        "Host": "mlflow",
        "Authorization": "Basic YWRtaW46cGFzc3dvcmQxMjM0",  # MLflow's own, once
    }
    given = [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]
    for path in (f"/api/2.0/mlflow/runs/get?run_id={secret.run}", "/", "/version", "/v1/traces"):
        out = site.exec(
            "gate", "curl", "--silent", "--include", *given, f"http://mlflow:5000{path}"
        )
        assert out.startswith("HTTP/1.1 403"), out


def test_users_files_are_shown_without_rights(secret: Secret) -> None:
    for path in (
        f"/mlflow/get-artifact?run_uuid={secret.run}&path=page.html",
        f"{FILES}/{secret.place}/page.html",
        f"{FILES.replace('/api/', '/ajax-api/')}/{secret.place}/page.html",
    ):
        answer = ask(secret.owner, "GET", path, workspace=TEAM)
        assert answer.status == 200, answer
        assert answer.headers["content-security-policy"] == "sandbox allow-scripts"
    page = ask(secret.owner, "GET", "/mlflow/")
    assert "sandbox" not in {k.lower(): v for k, v in page.headers.items()}.get(
        "content-security-policy", ""
    )


def test_a_websocket_is_refused(secret: Secret) -> None:
    for path in ("/mlflow/", "/mlflow/graphql", f"{API}/runs/get"):
        answer = ask(
            secret.owner, "GET", path, Upgrade="websocket", Connection="Upgrade",
            Sec_WebSocket_Version="13", Sec_WebSocket_Key="x3JJHMbDL1EzLkh9GBhXDw==",
        )  # fmt: skip
        assert answer.status != 101, answer
