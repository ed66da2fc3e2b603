"""docs/rights.md, cell by cell: who can do what, and nothing else."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from notehive.pypi.page import JSON
from tests.support import rights
from tests.support.hub import User, call, user
from tests.support.packages import upload_form
from tests.support.people import Person, logged_in
from tests.support.releases import put, remove
from tests.support.rights import Cell
from tests.support.site import Answer, Site, docker, fetch, run, wait_for

TEAM, GUILD, DEFAULT = "lab", "guild", "default"  # of the tests' settings
# Name of each role's user, and what the user is made with.
USERS = {
    "no group": ("nora", ()),
    "member": ("mia", ("--group", TEAM)),
    "other": ("otto", ("--group", GUILD)),
    "admin": ("ada", ("--admin",)),
}
NARROW = {"narrow token": "access:services!service=gate", "other token": "read:users:name!user"}
MLFLOW = "/mlflow/api/2.0/mlflow"
# Airflow's and Jenkins' have modules of their own: of all tests, those alone need them.
CELLS = [cell for cell in rights.cells() if cell.section not in ("Airflow", "Jenkins")]


@dataclass
class Asker:
    """Somebody of a role, with a token or with a browser's cookies."""

    site: Site
    token: str = ""
    person: Person | None = None

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Make one request; a body that is not bytes goes as JSON."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if self.person:
            return self.person.ask(method, path, data, sent)
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        return fetch(self.site, path, method=method, headers=sent, body=data)

    def mlflow(self, method: str, path: str, body: Any = None, *, workspace: str) -> Answer:
        """Make one request to MLflow's REST API, or to another path of it."""
        path = path if path.startswith("/mlflow/") else MLFLOW + path
        return self.ask(method, path, body, {"X-MLFLOW-WORKSPACE": workspace})

    def may(self, method: str, path: str, body: Any = None, *, workspace: str) -> bool:
        """Whether such a request succeeds; a refusal must be one in order."""
        answer = self.mlflow(method, path, body, workspace=workspace)
        assert answer.status == 200 or answer.status in (401, 403, 404), answer
        return answer.status == 200


@dataclass
class World:
    """The site with somebody of each role, and something of each group."""

    site: Site
    users: dict[str, User] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    chose: dict[str, bool] = field(default_factory=dict)  # roles that got the size of TEAM
    experiments: dict[str, str] = field(default_factory=dict)  # by workspace
    runs: dict[str, str] = field(default_factory=dict)

    def asker(self, role: str, by: str = "token") -> Asker:
        """Give somebody of this role."""
        if by == "cookies":
            return Asker(self.site, person=self.people[role])
        return Asker(self.site, self.tokens.get(role, ""))

    @property
    def admin(self) -> Asker:
        """The administrator, who prepares what others try."""
        return self.asker("admin")

    def shell(self, role: str, command: str) -> bool:
        """Whether a command succeeds in the server of this role's user."""
        container = self.site.container(self.users[role].service)
        done = docker("exec", container, "sh", "-c", f"({command}) 2>&1 && echo DONE", check=False)
        return done.endswith("DONE")

    def file(self, workspace: str) -> str:
        """Path of a file of this workspace's run."""
        place = f"{self.experiments[workspace]}/{self.runs[workspace]}/artifacts/file.txt"
        return f"/mlflow/api/2.0/mlflow-artifacts/artifacts/workspaces/{workspace}/{place}"


@pytest.fixture(scope="module")
def world(site: Site) -> Iterator[World]:
    """Users with servers, a run, a file and a model in each workspace."""
    with ExitStack() as stack:
        world = World(site)
        for role, (name, options) in USERS.items():
            world.users[role] = stack.enter_context(user(site, name, *options))
            world.tokens[role] = world.users[role].token
            world.people[role] = logged_in(site, name)
            world.chose[role] = start(world.users[role])
        member = world.users["member"]
        container = site.container(member.service)
        world.tokens["server"] = docker("exec", container, "cat", "/run/secrets/jupyterhub-token")
        for role, scope in NARROW.items():
            made = member.ask("POST", f"/users/{member.name}/tokens", {"scopes": [scope]})
            world.tokens[role] = made["token"]
        for group in (TEAM, GUILD):
            wish = {"name": REPOSITORY, "group": group}
            made = world.admin.ask("POST", "/notehive-api/models", wish)
            assert made.status in (201, 409), made
        for workspace, owner in ((DEFAULT, "no group"), (TEAM, "member"), (GUILD, "other")):
            fill(world, workspace, world.asker(owner))
        yield world


def start(one: User) -> bool:
    """Start a server, with the size of TEAM if that is allowed; say whether it was."""
    wish = {"image": "base", "size": "medium"}
    answer = one.call("POST", f"/users/{one.name}/server", wish)
    assert answer.status in (201, 202, 400), answer
    if answer.status == 400:
        one.start(image="base", size="small")
        return False
    wait_for(f"{one.name}'s server", lambda: (one.server() or {}).get("ready"), 120)
    return True


def fill(world: World, workspace: str, owner: Asker) -> None:
    """Have the owner make an experiment with a run and its file, and a model."""

    def make(path: str, body: Any) -> Any:
        answer = owner.mlflow("POST", path, body, workspace=workspace)
        assert answer.status == 200, answer
        return json.loads(answer.body)

    name = f"{workspace}-{uuid4().hex}"
    world.experiments[workspace] = make("/experiments/create", {"name": name})["experiment_id"]
    run = make("/runs/create", {"experiment_id": world.experiments[workspace]})
    world.runs[workspace] = run["run"]["info"]["run_id"]
    assert owner.may("PUT", world.file(workspace), b"secret", workspace=workspace)
    if workspace != DEFAULT:
        answer = owner.mlflow(
            "POST", "/registered-models/create", {"name": workspace}, workspace=workspace
        )
        assert answer.status == 200 or b"ALREADY_EXISTS" in answer.body, answer


# The hub. What a request answers tells whether it was allowed.


def see_oneself(world: World, asker: Asker, role: str) -> bool:
    return asker.ask("GET", "/hub/api/user").status == 200


def see_users(world: World, asker: Asker, role: str) -> bool:
    answer = asker.ask("GET", "/hub/api/users")
    others = {one.name for one in world.users.values()} - {USERS.get(role, ("mia",))[0]}
    return answer.status == 200 and any(f'"{name}"'.encode() in answer.body for name in others)


def make_user(world: World, asker: Asker, role: str) -> bool:
    name = f"made-{uuid4().hex[:8]}"
    made = asker.ask("POST", f"/hub/api/users/{name}").status == 201
    there = world.admin.ask("GET", f"/hub/api/users/{name}").status == 200
    if there:
        world.admin.ask("DELETE", f"/hub/api/users/{name}")
    assert made == there
    return made


def manage_accounts(world: World, asker: Asker, role: str) -> bool:
    return asker.ask("GET", "/hub/api/accounts").status == 200


def start_server(world: World, asker: Asker, owner: str) -> bool:
    """Without starting one: who may is told that there is no such image."""
    answer = asker.ask("POST", f"/hub/api/users/{owner}/servers/refused", {"image": "none"})
    assert answer.status in (400, 401, 403, 404), answer
    return answer.status == 400


def start_own_server(world: World, asker: Asker, role: str) -> bool:
    return start_server(world, asker, USERS.get(role, USERS["member"])[0])


def start_members_server(world: World, asker: Asker, role: str) -> bool:
    return start_server(world, asker, USERS["member"][0])


def open_members_server(world: World, asker: Asker, role: str) -> bool:
    answer = asker.ask("GET", f"/user/{USERS['member'][0]}/api/contents")
    assert answer.status in (200, 302, 403), answer
    return answer.status == 200


HUB: dict[str, Callable[[World, Asker, str], bool]] = {
    "see one's own account": see_oneself,
    "see the list of users": see_users,
    "make a user": make_user,
    "manage accounts": manage_accounts,
    "start a server of one's own": start_own_server,
    "start the member's server": start_members_server,
    "open the member's server": open_members_server,
}

# Servers


def choose_release(world: World, asker: Asker, role: str) -> bool:
    """Without starting one: who may have the image is told that there is no such size."""
    put(world.site, TEAM, "rights")
    try:
        wish = {"image": f"{TEAM}/rights", "size": "none"}
        path = f"/hub/api/users/{USERS[role][0]}/servers/refused"
        answer = asker.ask("POST", path, wish)
    finally:
        remove(world.site, TEAM, "rights")
    assert answer.status == 400, answer
    return b"There is no size" in answer.body


def other_home(world: World, asker: Asker, role: str) -> bool:
    """Whether any file of another user's home is found, wherever it may be mounted."""
    other = world.users["other" if role == "member" else "member"]
    name = f"home-of-{other.name}"
    docker("exec", world.site.container(other.service), "touch", name)
    return world.shell(role, f"find / -xdev -name {name} | grep . || ls /home/*/{name}")


SERVERS: dict[str, Callable[[World, Asker, str], bool]] = {
    "choose the size of TEAM": lambda world, _, role: world.chose[role],
    "choose an image that TEAM has released": choose_release,
    "write in /shared/TEAM": lambda world, _, role: world.shell(role, f"touch /shared/{TEAM}/a"),
    "read in /shared/GUILD": lambda world, _, role: world.shell(role, f"ls /shared/{GUILD}"),
    "write in /shared/GUILD": lambda world, _, role: world.shell(role, f"touch /shared/{GUILD}/a"),
    "read another user's home": other_home,
}

# MLflow


def open_page(world: World, asker: Asker, role: str) -> bool:
    answer = asker.ask("GET", "/mlflow/")
    return answer.status == 200 and b"<title>MLflow</title>" in answer.body


def see_workspace(world: World, asker: Asker, role: str) -> bool:
    answer = asker.ask("GET", "/mlflow/api/3.0/mlflow/workspaces")
    return answer.status == 200 and f'"{TEAM}"'.encode() in answer.body


def see_runs(workspace: str) -> Callable[[World, Asker, str], bool]:
    def probe(world: World, asker: Asker, role: str) -> bool:
        run = f"/runs/get?run_id={world.runs[workspace]}"
        experiment = f"/experiments/get?experiment_id={world.experiments[workspace]}"
        found = {asker.may("GET", path, workspace=workspace) for path in (run, experiment)}
        # Nor is there another way to it, by a workspace that is open.
        if workspace != DEFAULT:
            assert not asker.may("GET", run, workspace=DEFAULT)
        assert len(found) == 1
        return found.pop()

    return probe


def find_runs(workspace: str) -> Callable[[World, Asker, str], bool]:
    def probe(world: World, asker: Asker, role: str) -> bool:
        found = set()
        number = f'"{world.experiments[workspace]}"'.encode()
        wanted = {"experiment_ids": [world.experiments[workspace]], "max_results": 1000}
        for path in ("/runs/search", "/experiments/search"):
            answer = asker.mlflow("POST", path, wanted, workspace=workspace)
            found.add(number in answer.body)
        assert len(found) == 1
        return found.pop()

    return probe


def change_runs(workspace: str) -> Callable[[World, Asker, str], bool]:
    def probe(world: World, asker: Asker, role: str) -> bool:
        tag = {"run_id": world.runs[workspace], "key": "seen", "value": role}
        metric = {"run_id": world.runs[workspace], "key": "m", "value": 1, "timestamp": 1}
        name = {"experiment_id": world.experiments[workspace], "key": "seen", "value": role}
        found = {
            asker.may("POST", path, body, workspace=workspace)
            for path, body in (
                ("/runs/set-tag", tag),
                ("/runs/log-metric", metric),
                ("/experiments/set-experiment-tag", name),
            )
        }
        assert len(found) == 1
        return found.pop()

    return probe


def make_experiment(workspace: str) -> Callable[[World, Asker, str], bool]:
    def probe(world: World, asker: Asker, role: str) -> bool:
        body = {"name": f"made-{uuid4().hex}"}
        return asker.may("POST", "/experiments/create", body, workspace=workspace)

    return probe


def delete_experiment(workspace: str) -> Callable[[World, Asker, str], bool]:
    def probe(world: World, asker: Asker, role: str) -> bool:
        body = {"name": f"doomed-{uuid4().hex}"}
        made = world.admin.mlflow("POST", "/experiments/create", body, workspace=workspace)
        doomed = {"experiment_id": json.loads(made.body)["experiment_id"]}
        return asker.may("POST", "/experiments/delete", doomed, workspace=workspace)

    return probe


def see_files(workspace: str) -> Callable[[World, Asker, str], bool]:
    def probe(world: World, asker: Asker, role: str) -> bool:
        run = world.runs[workspace]
        place = world.file(workspace)
        listed = place.partition("/artifacts/")[2].rpartition("/")[0]
        paths = (
            place,
            place.replace("/api/", "/ajax-api/", 1),
            f"/mlflow/get-artifact?run_uuid={run}&path=file.txt",
            f"/artifacts/list?run_id={run}",
            f"/mlflow/api/2.0/mlflow-artifacts/artifacts?path={listed}",
        )
        found = {asker.may("GET", path, workspace=workspace) for path in paths}
        assert len(found) == 1
        return found.pop()

    return probe


def change_files(workspace: str) -> Callable[[World, Asker, str], bool]:
    def probe(world: World, asker: Asker, role: str) -> bool:
        place = world.file(workspace).replace("file.txt", f"{uuid4().hex}.txt")
        wrote = asker.may("PUT", place, b"new", workspace=workspace)
        if not wrote:
            assert world.admin.may("PUT", place, b"new", workspace=workspace)
        assert asker.may("DELETE", place, workspace=workspace) is wrote
        return wrote

    return probe


def see_models(workspace: str) -> Callable[[World, Asker, str], bool]:
    def probe(world: World, asker: Asker, role: str) -> bool:
        found = asker.mlflow("GET", "/registered-models/search", workspace=workspace)
        path = f"/registered-models/get?name={workspace}"
        seen = asker.may("GET", path, workspace=workspace)
        assert (f'"{workspace}"'.encode() in found.body) is seen
        return seen

    return probe


def change_models(workspace: str) -> Callable[[World, Asker, str], bool]:
    def probe(world: World, asker: Asker, role: str) -> bool:
        run = world.runs[workspace]
        source = f"mlflow-artifacts:/{world.file(workspace).partition('/artifacts/')[2]}"
        version = {"name": workspace, "source": source, "run_id": run}
        described = {"name": workspace, "description": role}
        found = {
            asker.may("POST", "/model-versions/create", version, workspace=workspace),
            asker.may("PATCH", "/registered-models/update", described, workspace=workspace),
        }
        assert len(found) == 1
        return found.pop()

    return probe


def closed(*requests: tuple[str, str, Any]) -> Callable[[World, Asker, str], bool]:
    """None of these may be done, in any workspace."""

    def probe(world: World, asker: Asker, role: str) -> bool:
        return any(
            asker.may(method, f"/mlflow{kind}/{path}", body, workspace=workspace)
            for method, path, body in requests
            for kind in ("/api", "/ajax-api")
            for workspace in (DEFAULT, TEAM)
        )

    return probe


OF_GROUPS: dict[str, Callable[[str], Callable[[World, Asker, str], bool]]] = {
    "see runs": see_runs,
    "find runs": find_runs,
    "change runs": change_runs,
    "make an experiment": make_experiment,
    "delete an experiment": delete_experiment,
    "see files": see_files,
    "change files": change_files,
    "see models": see_models,
    "change models": change_models,
}
TRACKING: dict[str, Callable[[World, Asker, str], bool]] = {
    "open the page": open_page,
    "see runs of nobody's group": see_runs(DEFAULT),
    "change runs of nobody's group": change_runs(DEFAULT),
    "see that TEAM has a workspace": see_workspace,
    **{f"{action} of TEAM": make(TEAM) for action, make in OF_GROUPS.items()},
    **{f"{action} of GUILD": make(GUILD) for action, make in OF_GROUPS.items()},
    "make a workspace": closed(
        ("POST", "3.0/mlflow/workspaces", {"name": "made"}),
        ("PATCH", f"3.0/mlflow/workspaces/{TEAM}", {"description": "changed"}),
        ("DELETE", f"3.0/mlflow/workspaces/{TEAM}", None),
    ),
    "manage MLflow's own users": closed(
        ("GET", "2.0/mlflow/users/list", None),
        ("GET", "2.0/mlflow/users/get?username=mia", None),
        ("POST", "2.0/mlflow/users/create", {"username": "x", "password": "x" * 12}),
        ("PATCH", "2.0/mlflow/users/update-password", {"username": "mia", "password": "x" * 12}),
        ("PATCH", "2.0/mlflow/users/update-admin", {"username": "mia", "is_admin": True}),
        ("DELETE", "2.0/mlflow/users/delete", {"username": "mia"}),
    ),
    "manage MLflow's own roles": closed(
        ("GET", f"3.0/mlflow/roles/list?workspace={TEAM}", None),
        ("POST", "3.0/mlflow/roles/create", {"name": "x", "workspace": TEAM}),
        ("POST", "3.0/mlflow/users/permissions/grant", {"username": "mia"}),
    ),
    "have MLflow call an address": closed(
        ("POST", "2.0/mlflow/webhooks", {"name": "x", "url": "http://hub:8081/"}),
        ("POST", "3.0/mlflow/gateway/secrets/create", {"secret_name": "x"}),
        ("POST", "2.0/mlflow/gateway-proxy", {"gateway_path": "x"}),
    ),
}


# Repositories

REPOSITORY = "rights"  # of each group, made by an administrator


def make_model(group: str) -> Callable[[World, Asker, str], bool]:
    def probe(world: World, asker: Asker, role: str) -> bool:
        wish = {"name": f"made-{uuid4().hex}", "group": group}
        answer = asker.ask("POST", "/notehive-api/models", wish)
        assert answer.status in (201, 401, 403), answer
        return answer.status == 201

    return probe


def see_repositories(world: World, asker: Asker, role: str) -> bool:
    page, listed = asker.ask("GET", "/git/"), asker.ask("GET", "/notehive-api/models")
    found = {f"/git/{TEAM}/{REPOSITORY}.git".encode() in each.body for each in (page, listed)}
    assert len(found) == 1
    return found.pop()


def exchange(group: str, service: str) -> Callable[[World, Asker, str], bool]:
    def probe(world: World, asker: Asker, role: str) -> bool:
        place = f"/git/{group}/{REPOSITORY}.git"
        kind = {"Content-Type": f"application/x-{service}-request"}
        answers = (
            asker.ask("GET", f"{place}/info/refs?service={service}"),
            asker.ask("POST", f"{place}/{service}", b"0000", kind),
        )
        assert {each.status for each in answers} <= {200, 401, 403, 404}, answers
        found = {each.status == 200 for each in answers}
        assert len(found) == 1
        return found.pop()

    return probe


def tell_of_push(world: World, asker: Asker, role: str) -> bool:
    """Whether a login is enough for it; `test_outside` has a site that takes signed ones."""
    body = {"ref": "refs/heads/main", "after": "1" * 40}
    answer = asker.ask("POST", "/git-webhook", body)
    return answer.status not in (401, 403, 404)


REPOSITORIES: dict[str, Callable[[World, Asker, str], bool]] = {
    "see that TEAM has repositories": see_repositories,
    "tell of a push outside": tell_of_push,
    **{
        f"make a model of {name}": make_model(group)
        for name, group in (("TEAM", TEAM), ("GUILD", GUILD))
    },
    **{
        f"{verb} {name}": exchange(group, service)
        for verb, service in (("fetch from", "git-upload-pack"), ("push to", "git-receive-pack"))
        for name, group in (("TEAM", TEAM), ("GUILD", GUILD))
    },
}


# Tables


def write_table(group: str) -> Callable[[World, Asker, str], bool]:
    def probe(world: World, asker: Asker, role: str) -> bool:
        path = f"/notehive-api/models/{group}/{REPOSITORY}/table/rows"
        told = {"run": role, "columns": [{"name": "role", "type": "text"}]}
        body = f"{json.dumps(told)}\n{role}\n".encode()
        answer = asker.ask("PUT", path, body, {"Content-Type": "text/csv"})
        assert answer.status in (200, 401, 403, 404), answer
        return answer.status == 200

    return probe


TABLES: dict[str, Callable[[World, Asker, str], bool]] = {
    f"write a table of {name}": write_table(group)
    for name, group in (("TEAM", TEAM), ("GUILD", GUILD))
}


def pull_or_push(world: World, asker: Asker, role: str) -> bool:
    """At the port of the registry itself, with the token in each way that Docker would."""
    ports = world.site.settings["network"]
    registry = f"127.0.0.1:{ports['registry_port'] + 1}"
    given = base64.b64encode(f"builder:{asker.token}".encode()).decode()
    return any(
        code == "200"
        for header in (f"Bearer {asker.token}", f"Basic {given}")
        for code in [status(f"http://{registry}/v2/_catalog", header)]
    )


def status(url: str, authorization: str) -> str:
    """Give the status that an address answers."""
    written = ("--output", "/dev/null", "--write-out", "%{http_code}")
    header = ("--header", f"Authorization: {authorization}")
    return run("curl", "--silent", "--noproxy", "*", *written, *header, url).stdout


# Packages


def install(path: str) -> Callable[[World, Asker, str], bool]:
    """Whether the page of a project tells of a file, and the file is there."""

    def probe(world: World, asker: Asker, role: str) -> bool:
        page = asker.ask("GET", path, headers={"Accept": JSON})
        assert page.status in (200, 401, 403, 404), page
        files = json.loads(page.body)["files"] if page.status == 200 else []
        return bool(files) and asker.ask("HEAD", path + files[0]["url"]).status == 200

    return probe


def upload(world: World, asker: Asker, group: str) -> bool:
    """Whether a new package of a group is taken."""
    form, kind = upload_form(f"rights_{uuid4().hex}", "1.0")
    answer = asker.ask("POST", f"/pypi/{group}/", form, {"Content-Type": kind})
    assert answer.status in (200, 401, 403, 404), answer
    return answer.status == 200


def install_own(group: str) -> Callable[[World, Asker, str], bool]:
    """An owner's package is one that an administrator has sent."""

    def probe(world: World, asker: Asker, role: str) -> bool:
        name = f"rights-{uuid4().hex}"
        form, kind = upload_form(name.replace("-", "_"), "1.0")
        sent = world.admin.ask("POST", f"/pypi/{group}/", form, {"Content-Type": kind})
        assert sent.status == 200, sent
        return install(f"/pypi/{group}/simple/{name}/")(world, asker, role)

    return probe


def replace_upstream(world: World, asker: Asker, role: str) -> bool:
    """Whether a package of GUILD comes that nobody has named GUILD for."""
    form, kind = upload_form("six", "99.0")
    world.admin.ask("POST", f"/pypi/{GUILD}/", form, {"Content-Type": kind})
    page = asker.ask("GET", "/pypi/simple/six/", headers={"Accept": JSON})
    return b"six-99.0" in page.body


PACKAGES: dict[str, Callable[[World, Asker, str], bool]] = {
    "install from the index upstream": install("/pypi/simple/six/"),
    "upload a package of everyone": lambda world, asker, _: upload(world, asker, "everyone"),
    "install a package of TEAM": install_own(TEAM),
    "upload a package of TEAM": lambda world, asker, _: upload(world, asker, TEAM),
    "install a package of GUILD": install_own(GUILD),
    "upload a package of GUILD": lambda world, asker, _: upload(world, asker, GUILD),
    "put a package of GUILD in the place of one upstream": replace_upstream,
}

# Metrics


def ask_prometheus(world: World, asker: Asker, role: str) -> bool:
    answer = asker.ask("GET", "/prometheus/api/v1/query?query=up")
    assert (answer.status == 200) == (b'"success"' in answer.body)
    return answer.status == 200


def read_hub_metrics(world: World, asker: Asker, role: str) -> bool:
    answer = asker.ask("GET", "/hub/metrics")
    assert (answer.status == 200) == (b"jupyterhub_" in answer.body)
    return answer.status == 200


BEHIND_THE_GATE = ("MLflow", "Repositories", "Tables", "Packages")
PROBES: dict[str, dict[str, Callable[[World, Asker, str], bool]]] = {
    "The hub and its servers": HUB,
    "Servers": SERVERS,
    "MLflow": TRACKING,
    "Repositories": REPOSITORIES,
    "Tables": TABLES,
    "Packages": PACKAGES,
    "Metrics": {"ask Prometheus": ask_prometheus, "read the hub's metrics": read_hub_metrics},
    "The registry": {"pull or push an image": pull_or_push},
}


def tries() -> Iterator[Any]:
    """Each cell, by each way in which somebody of its role can ask."""
    for cell in CELLS:
        ways = ["token"]
        if cell.section in BEHIND_THE_GATE and cell.role in USERS:
            ways.append("cookies")
        for by in ways:
            yield pytest.param(cell, by, id=f"{cell.action}-{cell.role}-{by}")


@pytest.mark.parametrize(("cell", "by"), list(tries()))
def test_cell(world: World, cell: Cell, by: str) -> None:
    probe = PROBES[cell.section][cell.action]
    assert probe(world, world.asker(cell.role, by), cell.role) is cell.allowed


def test_every_action_is_tried_and_told() -> None:
    told = {(cell.section, cell.action) for cell in CELLS}
    tried = {(section, action) for section, probes in PROBES.items() for action in probes}
    assert told == tried


def test_an_administrators_server_is_no_administrator(world: World) -> None:
    container = world.site.container(world.users["admin"].service)
    token = docker("exec", container, "cat", "/run/secrets/jupyterhub-token")
    server = Asker(world.site, token)
    assert not see_runs(TEAM)(world, server, "admin")
    assert see_runs(DEFAULT)(world, server, "admin")
    assert call(world.site, "GET", "/users", token=token).status == 403


def test_a_run_that_says_nothing_belongs_to_the_group(world: World) -> None:
    code = "import mlflow; run = mlflow.start_run(); print(run.info.run_id)"
    found = {}
    for role in ("no group", "member"):
        container = world.site.container(world.users[role].service)
        command = ("docker-entrypoint", "python3", "-c", code)
        out = docker("exec", container, *command)
        found[role] = next(line for line in out.splitlines() if len(line) == 32)
    for role, workspace in (("no group", DEFAULT), ("member", TEAM)):
        path = f"/runs/get?run_id={found[role]}"
        assert world.admin.may("GET", path, workspace=workspace)
