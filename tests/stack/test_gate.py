"""Nobody reaches MLflow without a JupyterHub login, whatever the path looks like."""

import base64
import json
import secrets
from collections.abc import Iterator

import pytest

from tests.support.hub import User, user
from tests.support.people import logged_in
from tests.support.site import Site, fetch, wait_for

DATA = "/api/2.0/mlflow/experiments/search?max_results=10"
PATHS = [
    "/mlflow",
    "/mlflow/",
    f"/mlflow{DATA}",
    "/mlflow/ajax-api/2.0/mlflow/experiments/search?max_results=10",
    "/mlflow/ajax-api/3.0/mlflow/traces/search",
    "/mlflow/api/2.0/mlflow-artifacts/artifacts",
    "/mlflow/get-artifact?path=x&run_uuid=y",
    "/mlflow/graphql",
    "/mlflow/health",
    "/mlflow/version",
    "/mlflow/static-files/index.html",
    f"//mlflow{DATA}",
    f"/./mlflow{DATA}",
    f"/hub/../mlflow{DATA}",
    f"/hub/%2e%2e/mlflow{DATA}",
    f"/hub/..%2fmlflow{DATA}",
    f"/hub/..%252fmlflow{DATA}",
    f"/hub/%252e%252e/mlflow{DATA}",
    f"/%6dlflow{DATA}",
    f"/mlflow/%2e%2e/mlflow{DATA}",
    f"/mlflow%2f{DATA[1:]}",
    f"/mlflow%252f{DATA[1:]}",
    f"/mlflow;x{DATA}",
    f"/gate/../mlflow{DATA}",
    f"/healthz/../mlflow{DATA}",
    f"/user/x/../../mlflow{DATA}",
    f"/user/x/%2e%2e/%2e%2e/mlflow{DATA}",
    f"/MLFLOW{DATA}",
]


@pytest.fixture(scope="module")
def gina(site: Site) -> Iterator[User]:
    """A user of this module."""
    with user(site, "gina") as gina:
        yield gina


@pytest.fixture
def token(gina: User) -> str:
    """A token of that user."""
    return gina.token


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "PROPFIND"])
def test_nobody_gets_no_data(site: Site, method: str, path: str) -> None:
    body = b"{}" if method == "POST" else None
    answer = fetch(site, path, method=method, body=body, headers={"Accept": "text/html"})
    assert answer.status in (302, 400, 401, 403, 404, 405), answer
    assert b"experiment" not in answer.body
    if answer.status == 302:
        location = answer.headers["Location"]
        assert (
            "/gate/login?next=/" in location
            or location.endswith(("/hub/", "/mlflow/"))
            or (location.startswith("/hub/login"))
        ), location


def test_a_browser_is_led_to_the_login_and_a_program_is_told(site: Site) -> None:
    page = fetch(site, "/mlflow/", headers={"Accept": "text/html"})
    assert page.status == 302
    assert page.headers["Location"].endswith("/gate/login?next=/mlflow/")
    program = fetch(site, f"/mlflow{DATA}")
    assert program.status == 401
    assert "Bearer" in program.headers["WWW-Authenticate"]


def test_a_token_opens_it(site: Site, token: str) -> None:
    answer = fetch(site, f"/mlflow{DATA}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 200
    assert json.loads(answer.body)["experiments"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer 0123456789abcdef0123456789abcdef"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"X-Notehive-User": "admin", "X-Forwarded-User": "admin", "Remote-User": "admin"},
        {"Cookie": "notehive-gate=admin"},
        {"Cookie": "notehive-gate=2|1:0|10:1|13:notehive-gate|4:eHg=|00"},
        {"X-Original-Method": "GET", "X-Original-URI": "/healthz"},
        {"X-Notehive-Key": "", "X-Notehive-User": "admin", "X-Notehive-Admin": "yes"},
    ],
)
def test_false_credentials_open_nothing(site: Site, headers: dict[str, str]) -> None:
    assert fetch(site, f"/mlflow{DATA}", headers=headers).status in (401, 403)


def test_the_check_itself_is_not_for_the_outside(site: Site, token: str) -> None:
    for path in ("/gate/check", "/_gate", "/gate/%63heck", "/gate//check"):
        answer = fetch(site, path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status == 404, path


def test_a_revoked_token_stops_within_seconds(site: Site, gina: User) -> None:
    made = gina.ask("POST", "/users/gina/tokens", {})
    headers = {"Authorization": f"Bearer {made['token']}"}

    def status() -> int:
        return fetch(site, f"/mlflow{DATA}", headers=headers).status

    assert status() == 200
    gina.ask("DELETE", f"/users/gina/tokens/{made['id']}")
    wait_for("the end of the token", lambda: status() == 401, 10)


def test_unknown_paths_are_not_found(site: Site) -> None:
    for path in ("/nothing", "/.git/config", "/services/gate/", "/api/routes"):
        assert fetch(site, path).status == 404


def test_redirects_stay_here(site: Site) -> None:
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "/%0d%0aX:y"):
        answer = fetch(site, f"/gate/login?next={target}")
        assert answer.status == 302
        assert answer.headers["Location"].startswith("/hub/api/oauth2/authorize")
        assert "evil" not in answer.headers["Location"]


def who(site: Site, headers: dict[str, str]) -> str:
    """Give the user for whom MLflow takes whoever sends these headers."""
    answer = fetch(site, "/mlflow/ajax-api/2.0/mlflow/users/current", headers=headers)
    assert answer.status == 200, answer
    return str(json.loads(answer.body)["user"]["username"])


def test_git_gives_its_token_as_a_password(site: Site, token: str) -> None:
    given = base64.b64encode(f"anybody:{token}".encode()).decode()
    assert who(site, {"Authorization": f"Basic {given}"}) == "gina"


def test_what_is_kept_of_the_gates_answers_is_everybodys_own(
    site: Site, gina: User, token: str
) -> None:
    with user(site, "gabe") as gabe:
        cookies = {name: logged_in(site, name).cookies for name in ("gina", "gabe")}
        ways = {
            "gina": [{"Authorization": f"Bearer {token}"}],
            "gabe": [{"Authorization": f"Bearer {gabe.token}"}],
        }
        for name, jar in cookies.items():
            gates = f"notehive-gate={jar['notehive-gate']}"
            ways[name] += [{"Cookie": gates}, {"Cookie": f"other=1; {gates}"}]
        for _ in range(20):
            for name, headers in ways.items():
                assert [who(site, each) for each in headers] == [name] * 3
            # Part of a credential is none.
            half = ways["gina"][1]["Cookie"][:-1]
            assert fetch(site, f"/mlflow{DATA}", headers={"Cookie": half}).status == 401


def test_a_log_out_ends_the_pages_within_seconds(site: Site, gina: User) -> None:
    person = logged_in(site, gina.name)
    before = dict(person.cookies)

    def status() -> int:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in before.items())}
        return fetch(site, f"/mlflow{DATA}", headers=headers).status

    assert status() == 200
    person.ask("POST", "/hub/logout")
    person.open("/hub/logout")
    wait_for("the end of the pages", lambda: status() == 401, 10)


def test_a_removed_user_is_nobody_within_seconds(site: Site) -> None:
    with user(site, "gone") as gone:
        headers = {"Authorization": f"Bearer {gone.token}"}
        assert who(site, headers) == "gone"
        site.notehive("user", "remove", "gone")
        wait_for(
            "the end of the user",
            lambda: fetch(site, f"/mlflow{DATA}", headers=headers).status == 401,
            10,
        )
        site.add_user("gone")


def test_who_leaves_a_group_loses_its_rights_within_seconds(site: Site) -> None:
    with user(site, "greg", "--group", "lab") as greg, user(site, "gaia", "--admin") as gaia:
        headers = {"Authorization": f"Bearer {greg.token}", "X-MLFLOW-WORKSPACE": "lab"}

        def status() -> int:
            return fetch(site, f"/mlflow{DATA}", headers=headers).status

        assert status() == 200
        # What he has made himself is no less the group's.
        made = fetch(
            site,
            "/mlflow/api/2.0/mlflow/experiments/create",
            method="POST",
            headers={**headers, "Content-Type": "application/json"},
            body=json.dumps({"name": f"gregs-{secrets.token_hex(4)}"}).encode(),
        )
        assert made.status == 200
        gaia.ask("DELETE", "/groups/lab/users", {"users": ["greg"]})
        wait_for("the end of the rights", lambda: status() == 403, 10)
        gaia.ask("POST", "/groups/lab/users", {"users": ["greg"]})
        wait_for("the rights", lambda: status() == 200, 10)


@pytest.fixture
def without(site: Site, request: pytest.FixtureRequest) -> Iterator[str]:
    """The site without one of its services, and with it again afterwards."""
    name = f"{site.name}_{request.param}"
    site.docker("service", "scale", "--detach", f"{name}=0")
    wait_for(f"the end of {name}", lambda: not site.containers(name, ended=False))
    yield request.param
    site.docker("service", "scale", f"{name}=1")


@pytest.mark.parametrize("without", ["gate", "hub"], indirect=True)
def test_without_the_gate_or_the_hub_nobody_gets_through(
    site: Site, token: str, without: str
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    paths = (f"/mlflow{DATA}", "/mlflow/", "/mlflow/version", "/mlflow/get-artifact")

    def statuses() -> set[int]:
        return {fetch(site, path, headers=headers).status for path in paths}

    # What was answered a moment ago may be remembered for seconds.
    wait_for("closed pages", lambda: statuses() == {503}, 10)
    for path in PATHS:
        for given in ({}, headers):
            answer = fetch(site, path, headers=given)
            assert b"experiment" not in answer.body, path
            assert answer.status >= 300, path
