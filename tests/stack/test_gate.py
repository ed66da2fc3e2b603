"""Nobody reaches MLflow without a JupyterHub login, whatever the path looks like."""

import json
from collections.abc import Iterator

import pytest

from tests.support.hub import User, user
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
