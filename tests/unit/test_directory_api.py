"""The hub where people are kept elsewhere. Its directory does not answer: nobody logs in here."""

from collections.abc import Iterator

import pytest

from tests.unit.conftest import Hub, free_port, running_hub

SETTINGS = """
admins: [boss]
groups: {{risk: {{members: [mara]}}, lab: {{}}}}
auth: {{kind: ldap, ldap: {{server: 127.0.0.1, port: {port}, user_base: x, title: Example Inc.}}}}
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    settings = SETTINGS.format(port=free_port())
    with running_hub(tmp_path_factory.mktemp("hub"), settings) as hub:
        yield hub


def test_the_login_page_says_whose_password_it_wants(hub: Hub) -> None:
    page = hub.browser().get("/hub/login").text
    assert "The user name and password that you have at Example Inc." in page
    assert "Ask for an account" not in page


def test_a_directory_that_does_not_answer(hub: Hub) -> None:
    browser = hub.browser()
    answer = browser.log_in("ana", "secret")
    assert answer.status_code == 503
    assert "Logins cannot be checked just now: try again" in answer.text
    assert not browser.logged_in()


@pytest.mark.parametrize("page", ["signup", "authorize", "change-password"])
def test_pages_about_accounts_of_the_hub_are_gone(hub: Hub, page: str) -> None:
    assert hub.browser().get(f"/hub/{page}").status_code == 404


def test_users_are_made_known_and_listed(hub: Hub) -> None:
    body = {"admin": True, "groups": ["lab"]}
    for status in (201, 200):  # the second time it is no news, and no error
        made = hub.api("PUT", "/accounts/Ana", body)
        assert made.status_code == status
        assert made.json() == {"name": "ana", "password": None, "created": status == 201}
    listed = hub.api("GET", "/accounts").json()
    assert listed["kept_by"] == "Example Inc."
    found = {user["name"]: (user["admin"], user["groups"]) for user in listed["users"]}
    assert found == {"ana": (True, ["lab"]), "boss": (True, []), "mara": (False, ["risk"])}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("PUT", "ana", {"password": "x"}, 400, "Passwords are kept by Example Inc.: change it th"),
        ("PATCH", "ana", {}, 400, "Passwords are kept by Example Inc.: change it there."),
        ("PUT", "a b", {}, 400, "A user name has letters, digits and . - _ @ + only"),
        ("PUT", "ana", {"groups": ["x"]}, 400, "The group x is not defined in settings.yml"),
        ("PUT", "ana", {"admin": "yes"}, 400, "admin has the wrong type."),
        ("DELETE", "ana", None, 404, "There is no account ana."),
    ],
)
def test_what_is_refused(
    hub: Hub, method: str, path: str, body: object, status: int, message: str
) -> None:
    answer = hub.api(method, f"/accounts/{path}", body)
    assert answer.status_code == status
    assert answer.json()["message"].startswith(message)


def test_nobody_else_may(hub: Hub) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        path = "/accounts" if method == "GET" else "/accounts/ana"
        assert hub.browser().request(method, f"/hub/api{path}").status_code == 403
