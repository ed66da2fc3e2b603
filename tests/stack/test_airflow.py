"""Airflow on a real site: rights, cell by cell of docs/rights.md, and ways around them."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from notehive.airflow.routes import is_open
from tests.support import rights
from tests.support.airflow import PIPELINE, Asker, put_dags
from tests.support.hub import User, user
from tests.support.people import Person, logged_in
from tests.support.rights import Cell
from tests.support.site import Site, docker, run, wait_for

TEAM, GUILD, EVERYONE = "lab", "guild", "everyone"
GROUPS = (TEAM, GUILD, EVERYONE)
OWN = {"churn", *(f"{group}.{PIPELINE}" for group in GROUPS)}  # DAGs of these tests
# Name of each role's user, and what the user is made with.
USERS = {
    "no group": ("nils", ()),
    "member": ("mona", ("--group", TEAM)),
    "other": ("olga", ("--group", GUILD)),
    "admin": ("anja", ("--admin",)),
}
NARROW = {"narrow token": "access:services!service=gate", "other token": "read:users:name!user"}
# What each service keeps for itself. (The page's own key is in Nginx too.)
HOLDERS = {
    "airflow-fernet": "airflow",
    "airflow-jwt": "airflow",
    "airflow-key": "airflow",
    "airflow-secret": "airflow",
    "postgres-airflow": "airflow",
}
CELLS = [cell for cell in rights.cells() if cell.section == "Airflow"]
# Every route of the page and API as it runs, with those of tasks.
LIST_ROUTES = """
import json, sys
from airflow.api_fastapi.app import cached_app
from fastapi.routing import APIRoute
found = set()
def walk(routes, before=""):
    for route in routes:
        below = getattr(route, "routes", None)
        if below is not None and not isinstance(route, APIRoute):
            walk(below, before + route.path)
        for method in getattr(route, "methods", None) or ():
            found.add((method, before + route.path))
walk(cached_app().routes)
print(json.dumps(sorted(found)), file=sys.stderr)
"""


@dataclass
class World:
    """The site with somebody of each role, and a run of each group's DAG."""

    site: Site
    people: dict[str, Person] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)  # paths, by group

    def asker(self, role: str, by: str = "token") -> Asker:
        """Give somebody of this role."""
        if by == "cookies":
            return Asker(self.site, person=self.people[role])
        return Asker(self.site, self.tokens.get(role, ""))

    @property
    def admin(self) -> Asker:
        """The administrator, who looks at what others did."""
        return self.asker("admin")


def names(world: World) -> list[str]:
    """Give the names of all DAGs, also of models that other tests have released."""
    return [dag["dag_id"] for dag in world.admin.told("/dags")["dags"]]


@pytest.fixture(scope="module")
def world(with_airflow: Site) -> Iterator[World]:
    site = with_airflow
    with ExitStack() as stack:
        users: dict[str, User] = {}
        world = World(site)
        for role, (name, options) in USERS.items():
            users[role] = stack.enter_context(user(site, name, *options))
            world.tokens[role] = users[role].token
            world.people[role] = logged_in(site, name)
        member = users["member"]
        member.start(image="base", size="small")
        container = site.container(member.service)
        world.tokens["server"] = docker("exec", container, "cat", "/run/secrets/jupyterhub-token")
        for role, scope in NARROW.items():
            made = member.ask("POST", f"/users/{member.name}/tokens", {"scopes": [scope]})
            world.tokens[role] = made["token"]
        wait_for("the DAGs", lambda: set(names(world)) >= OWN, 120)
        for group in GROUPS:
            world.runs[group] = world.admin.run(f"{group}.{PIPELINE}")
        for path in world.runs.values():
            assert world.admin.ended(path) == "success"
        yield world


# Probes


def open_page(world: World, asker: Asker) -> bool:
    answer = asker.ask("GET", "/airflow/")
    return answer.status == 200 and b"<title>Airflow</title>" in answer.body


def see(group: str) -> Callable[[World, Asker], bool]:
    def probe(world: World, asker: Asker) -> bool:
        dag = f"{group}.{PIPELINE}"
        paths = [f"/dags/{dag}", f"/dags/{dag}/details", f"/dags/{dag}/dagRuns", world.runs[group]]
        paths += [f"/dags/{dag}/tasks", f"/dagSources/{dag}", f"/eventLogs?dag_id={dag}"]
        paths += [f"/airflow/ui/grid/structure/{dag}", f"/airflow/ui/grid/runs/{dag}"]
        found = {asker.may("GET", path) for path in paths}
        assert len(found) == 1
        return found.pop()

    return probe


def find(group: str) -> Callable[[World, Asker], bool]:
    def probe(world: World, asker: Asker) -> bool:
        paths = ["/dags", "/airflow/ui/dags", "/dags/~/dagRuns", "/dagTags", "/dagStats"]
        paths += ["/dags/~/dagRuns/~/taskInstances"]
        found = set()
        for path in paths:
            answer = asker.ask("GET", path)
            found.add(
                f"{group}.{PIPELINE}".encode() in answer.body
                or f"SECRET-OF-{group}".encode() in answer.body
            )
        assert len(found) == 1
        return found.pop()

    return probe


def shown(world: World, asker: Asker, group: str, path: str) -> bool:
    """Whether what is below a task of a group is shown, with what it is about."""
    answer = asker.ask("GET", f"{world.runs[group]}/taskInstances/prepare/{path}")
    assert answer.status in (200, 401, 403), answer
    assert (f"SECRET-OF-{group}".encode() in answer.body) is (answer.status == 200)
    return answer.status == 200


def run_it(group: str) -> Callable[[World, Asker], bool]:
    def probe(world: World, asker: Asker) -> bool:
        body = {"logical_date": None, "dag_run_id": f"of-{uuid4().hex}"}
        did = asker.may("POST", f"/dags/{group}.{PIPELINE}/dagRuns", body)
        there = f"/dags/{group}.{PIPELINE}/dagRuns/{body['dag_run_id']}"
        assert world.admin.may("GET", there) is did
        return did

    return probe


def change(group: str) -> Callable[[World, Asker], bool]:
    def probe(world: World, asker: Asker) -> bool:
        dag = f"{group}.{PIPELINE}"
        span = {"from_date": "2026-01-01T00:00:00Z", "to_date": "2026-01-02T00:00:00Z"}
        tries: list[tuple[str, str, Any]] = [
            ("PATCH", f"/dags/{dag}", {"is_paused": False}),
            ("PATCH", world.runs[group], {"note": "seen"}),
            ("POST", f"/dags/{dag}/clearTaskInstances", {"dry_run": True, "only_failed": True}),
            ("POST", f"{world.runs[group]}/clear", {"dry_run": True}),
        ]
        found = {asker.may(method, path, body) for method, path, body in tries}
        # Without a schedule, there is no past to be run for; who may is told so.
        answer = asker.ask("POST", "/backfills", {"dag_id": dag, **span})
        found.add(answer.status not in (401, 403))
        assert len(found) == 1, found
        return found.pop()

    return probe


def every(*requests: tuple[str, str, Any]) -> Callable[[World, Asker], bool]:
    """Whether all of these may be done."""

    def probe(world: World, asker: Asker) -> bool:
        found = {asker.may(*request) for request in requests}
        assert len(found) == 1, found
        return found.pop()

    return probe


def manage(kind: str, key: str, **more: str) -> Callable[[World, Asker], bool]:
    """Whether a connection, variable or pool may be made, changed and removed."""

    def probe(world: World, asker: Asker) -> bool:
        body = {key: f"made-{uuid4().hex}", **more}
        made = asker.may("POST", f"/{kind}", body)
        if not made:
            assert world.admin.may("POST", f"/{kind}", body)
        path = f"/{kind}/{body[key]}"
        assert kind == "pools" or asker.may("GET", path) is made
        assert asker.may("PATCH", path, body) is made
        assert asker.may("DELETE", path) is made
        return made

    return probe


def as_a_task(world: World, asker: Asker) -> bool:
    task = world.admin.told(f"{world.runs[TEAM]}/taskInstances/prepare")["id"]
    tries = [("GET", "health"), ("GET", f"task-instances/{task}/context"), ("GET", "variables/x")]
    tries += [("PATCH", f"task-instances/{task}/run")]
    return any(asker.may(method, f"/airflow/execution/{path}", {}) for method, path in tries)


def seen_alone(world: World, asker: Asker) -> bool:
    found = asker.may("GET", "/dags/churn")
    assert (b"SECRET-OF-nobody" in asker.ask("GET", "/dags").body) is found
    return found


OF_GROUPS: dict[str, Callable[[str], Callable[[World, Asker], bool]]] = {
    "see DAGs": see,
    "find DAGs": find,
    "see logs": lambda group: lambda world, asker: shown(world, asker, group, "logs/1"),
    "see results": lambda group: (
        lambda world, asker: shown(world, asker, group, "xcomEntries/return_value")
    ),
    "run DAGs": run_it,
    "change DAGs": change,
}
PROBES: dict[str, Callable[[World, Asker], bool]] = {
    "open the page": open_page,
    "see DAGs of nobody's group": see(EVERYONE),
    "run DAGs of nobody's group": run_it(EVERYONE),
    "change DAGs of nobody's group": change(EVERYONE),
    **{f"{action} of TEAM": make(TEAM) for action, make in OF_GROUPS.items()},
    **{f"{action} of GUILD": make(GUILD) for action, make in OF_GROUPS.items()},
    "see DAGs whose name names no group": seen_alone,
    "see pools": every(("GET", "/pools", None), ("GET", "/pools/default_pool", None)),
    "change pools": manage("pools", "name", slots="1", include_deferred="false"),
    "manage connections": manage("connections", "connection_id", conn_type="http"),
    "manage variables": manage("variables", "key", value="v"),
    "see the configuration": every(("GET", "/plugins", None), ("GET", "/providers", None)),
    "see who did what anywhere": every(("GET", "/eventLogs", None), ("GET", "/jobs", None)),
    "ask as a task does": as_a_task,
}


def tries() -> Iterator[Any]:
    """Each cell, by each way in which somebody of its role can ask."""
    for cell in CELLS:
        for by in ("token", "cookies") if cell.role in USERS else ("token",):
            yield pytest.param(cell, by, id=f"{cell.action}-{cell.role}-{by}")


@pytest.mark.parametrize(("cell", "by"), list(tries()))
def test_cell(world: World, cell: Cell, by: str) -> None:
    assert PROBES[cell.action](world, world.asker(cell.role, by)) is cell.allowed


def test_every_action_is_tried_and_told() -> None:
    assert {cell.action for cell in CELLS} == set(PROBES)


# Every route there is


@pytest.fixture(scope="module")
def routes(world: World) -> list[tuple[str, str]]:
    """Every method and path of Airflow's, with those of TEAM's run in the place of names."""
    said = run(
        *("docker", "exec", world.site.container("airflow")),
        *("/opt/notehive/airflow/start", "python3", "-W", "ignore", "-c", LIST_ROUTES),
    )
    listed = json.loads(said.stderr.splitlines()[-1])
    dag, names = f"{TEAM}.{PIPELINE}", world.runs[TEAM].split("/")
    given = {
        "dag_id": dag,
        "dag_run_id": names[-1],
        "run_id": names[-1],
        "task_id": "prepare",
        "try_number": "1",
        "task_try_number": "1",
        "map_index": "-1",
        "version_number": "1",
        "xcom_key:path": "return_value",
        "pool_name:path": "default_pool",
    }
    found = [
        (method, re.sub(r"{([^}]+)}", lambda match: given.get(match[1], "1"), path))
        for method, path in listed
    ]
    assert len(found) > 150
    return found


def test_no_route_is_open_to_nobody(world: World, routes: list[tuple[str, str]]) -> None:
    for method, path in routes:
        answer = Asker(world.site).ask(method, f"/airflow{path}")
        # 403: a request without a token that changes something must come from a page of the site.
        assert answer.status in (401, 403), (method, path, answer)
        assert answer.status == 401 or b"nginx" in answer.body, (method, path, answer)


def test_what_is_not_named_is_closed_even_to_administrators(
    world: World, routes: list[tuple[str, str]]
) -> None:
    closed = [(m, path) for m, path in routes if not is_open(m, path, admin=True)]
    assert len(closed) > 10
    for method, path in closed:
        answer = world.admin.ask(method, f"/airflow{path}", {})
        assert answer.status == 403, (method, path, answer)
        assert method == "HEAD" or b"is closed" in answer.body, (method, path, answer)


@pytest.mark.parametrize("role", ["no group", "other"])
def test_no_route_tells_others_of_a_groups_dags(
    world: World, routes: list[tuple[str, str]], role: str
) -> None:
    asker = world.asker(role)
    allowed = f"{EVERYONE}.{PIPELINE}"
    for method, path in routes:
        if method != "GET":
            continue
        for query in ("", f"?dag_id={allowed}", f"?dag_ids={TEAM}.{PIPELINE}", "?limit=1000"):
            answer = asker.ask(method, f"/airflow{path}{query}")
            assert answer.status < 500, (path, query, answer)
            assert f"SECRET-OF-{TEAM}".encode() not in answer.body, (path, query)
            # A refusal may repeat the name that was asked for.
            if answer.status < 400:
                assert f"{TEAM}.churn".encode() not in answer.body, (path, query)


@pytest.mark.parametrize("role", ["no group", "other"])
def test_no_route_changes_a_groups_dags_for_others(
    world: World, routes: list[tuple[str, str]], role: str
) -> None:
    asker = world.asker(role)
    for method, path in routes:
        if method in ("GET", "HEAD", "OPTIONS") or TEAM not in path:
            continue
        for query in ("", f"?dag_id={EVERYONE}.{PIPELINE}"):
            answer = asker.ask(method, f"/airflow{path}{query}", {})
            assert answer.status in (403, 404, 405, 422), (method, path, answer)
    assert world.admin.may("GET", world.runs[TEAM])


def test_many_at_once_are_each_asked_for(world: World) -> None:
    """Requests that name several DAGs, or in their body another than in their path."""
    other = world.asker("other")
    own, foreign = world.runs[GUILD], world.runs[TEAM]
    run_id, dag = foreign.rpartition("/")[2], f"{TEAM}.{PIPELINE}"
    entity = {"dag_id": dag, "dag_run_id": run_id, "task_id": "prepare", "new_state": "failed"}
    update = {"actions": [{"action": "update", "entities": [entity]}]}
    runs = {"actions": [{"action": "delete", "entities": [entity]}]}
    for path in (f"/dags/{GUILD}.{PIPELINE}/dagRuns", "/dags/~/dagRuns"):
        other.ask("PATCH", path, runs)
        other.ask("POST", f"{path.rpartition('/')[0]}/clearDagRuns", {"dag_runs": [entity]})
        other.ask("PATCH", f"{path}/~/taskInstances", update)
        listed = other.ask("POST", "/dags/~/dagRuns/list", {"dag_ids": [dag]})
        assert dag.encode() not in listed.body
    other.ask("PATCH", f"{own}/taskInstances", update)
    other.ask("PATCH", f"/dags?dag_id_pattern={TEAM}", {"is_paused": True})
    assert world.admin.told(f"{foreign}/taskInstances/prepare")["state"] == "success"
    assert world.admin.told(f"/dags/{dag}")["is_paused"] is False


# Who is believed


def me(asker: Asker, **headers: str) -> str:
    answer = asker.ask("GET", "/airflow/ui/auth/me", **headers)
    assert answer.status == 200, answer
    return str(json.loads(answer.body)["username"])


def test_one_out_and_another_in_is_the_other(world: World) -> None:
    person = logged_in(world.site, USERS["member"][0])
    asker = Asker(world.site, person=person)
    assert me(asker) == USERS["member"][0]
    kept = dict(person.cookies)
    answer = asker.ask("GET", "/auth/logout")
    assert (answer.status, answer.headers["location"]) == (307, "/hub/logout")
    person.open("/hub/logout")
    wait_for("the end", lambda: asker.ask("GET", "/airflow/ui/auth/me").status == 401)
    another = logged_in(world.site, USERS["other"][0])
    # With all cookies that the first had, but for those that say who it is.
    another.cookies = {**kept, **another.cookies}
    assert me(Asker(world.site, person=another)) == USERS["other"][0]


def test_after_a_login_one_is_where_one_was(world: World) -> None:
    asker = world.asker("member", "cookies")
    page = f"{world.site.url}/airflow/dags/{TEAM}.{PIPELINE}"
    for asked, comes in ((page, page), ("https://elsewhere.example/", None), ("//x.example", None)):
        answer = asker.ask("GET", f"/airflow/auth/login?next={asked}")
        assert answer.headers["location"] == (comes or "/airflow/")


TOKEN = """
import time, jwt, os
now = int(time.time())
print(jwt.encode({"sub": "anja", "role": "admin", "iat": now, "nbf": now, "exp": now + 600,
  "jti": "1", "aud": "apache-airflow"}, os.environ["AIRFLOW__API_AUTH__JWT_SECRET"], "HS512"))
"""


def test_airflows_own_tokens_say_nothing(world: World) -> None:
    """Not even one that is signed with the right key."""
    start = "/opt/notehive/airflow/start"
    token = world.site.exec("airflow", start, "python3", "-c", TOKEN)
    bare = Asker(world.site)
    assert bare.ask("GET", "/dags", Authorization=f"Bearer {token}").status == 401
    assert bare.ask("GET", "/dags", Cookie=f"_token={token}").status == 401
    member = world.asker("member")
    assert me(member, Cookie=f"_token={token}") == USERS["member"][0]


@pytest.mark.parametrize(
    "named",
    [
        {"X_Notehive_User": "anja", "X_Notehive_Admin": "yes"},
        {"X_Notehive_Edits": TEAM, "X_Notehive_Reads": TEAM},
        {"X_Notehive_Key": "0" * 64, "X_Notehive_Edits": TEAM},
    ],
)
def test_nobody_names_themselves(world: World, named: dict[str, str]) -> None:
    other = world.asker("other")
    assert other.ask("GET", f"/dags/{TEAM}.{PIPELINE}", **named).status == 403
    assert me(other, **named) == USERS["other"][0]


def test_only_nginx_is_believed(world: World) -> None:
    """Not another service of the platform, without the key."""
    asked = ("curl", "--silent", "--header", "X-Notehive-User: anja")
    assert "only Nginx" in world.site.exec("proxy", *asked, "http://airflow:8080/airflow/")
    said = world.site.exec("proxy", *asked, "http://airflow:8081/airflow/api/v2/dags")
    assert "only tasks" in said


@pytest.mark.parametrize(
    "path",
    [
        "/airflow/%2e%2e/execution/health",
        "/airflow/execution%2fhealth",
        "/airflow/api/v2/../../execution/health",
        "/airflow//execution/health",
        "/airflow/./execution/health",
        "/%61irflow/execution/health",
        "/airflow/api/v2/dags/%2e%2e/connections",
        "/airflow/api/v2/dags/..%2fconnections",
        "/airflow/api/v2/dags/%252e%252e/connections",
    ],
)
def test_no_spelling_leads_elsewhere(world: World, path: str) -> None:
    answer = world.asker("member").ask("GET", path)
    assert answer.status in (400, 403, 404), answer


def test_no_secret_is_where_it_could_be_read(world: World) -> None:
    site = world.site
    values = {
        name: site.exec(holder, "cat", f"/run/secrets/{name}").rpartition(":")[2]
        for name, holder in HOLDERS.items()
    }
    parts = [name for name in site.services() if "_airflow" in name]
    assert len(parts) == 4
    for part in parts:
        container = site.containers(part)[0]
        logs = run("docker", "logs", container)
        text = docker("service", "inspect", part) + docker("inspect", container)
        for name, value in values.items():
            assert value not in text + logs.stdout + logs.stderr, f"{name} in {part}"


# Running


def test_each_part_starts_again_by_itself(world: World) -> None:
    site = world.site
    for part in ("airflow-triggerer", "airflow-processor", "airflow-scheduler", "airflow"):
        before = site.container(part)
        docker("kill", before)

        def renewed(part: str = part, before: str = before) -> bool:
            return bool(set(site.containers(f"{site.name}_{part}", ended=False)) - {before})

        wait_for(f"another {part}", renewed, 120)
    wait_for("the site", lambda: site.notehive("status", check=False).returncode == 0, 120)
    put_dags(site)
    dag = f"{TEAM}.{PIPELINE}"
    wait_for("the DAG", lambda: dag.encode() in world.admin.ask("GET", "/dags").body, 120)
    assert world.admin.ended(world.admin.run(dag)) == "success"


def test_what_it_costs_is_told(world: World) -> None:
    status = json.loads(world.site.notehive("status", "--json").stdout)
    parts = {s["name"]: s["memory"] for s in status["services"] if s["name"].startswith("airflow")}
    print({name: f"{memory / 2**20:.0f} MiB" for name, memory in parts.items()})
    assert len(parts) == 4
    assert all(parts.values())


@pytest.mark.long
def test_renewed_secrets_leave_connections_readable(world: World) -> None:
    body = {"connection_id": "kept", "conn_type": "http", "password": "a-password-that-is-kept"}
    assert world.admin.may("POST", "/connections", body)
    for _ in range(2):  # the second time, the key that it was first encrypted with is forgotten
        world.site.notehive("secrets", "rotate")
        start = ("/opt/notehive/airflow/start", "airflow", "connections", "get", "kept")
        assert body["password"] in world.site.exec("airflow", *start, "--output", "json")
    assert world.admin.may("DELETE", "/connections/kept")
