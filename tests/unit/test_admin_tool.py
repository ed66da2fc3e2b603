"""``python3 -m notehive.hub.admin``, against a real hub."""

import json
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from notehive.errors import BadInput, NotehiveError
from notehive.hub import admin


def a_name() -> str:
    return f"user-{secrets.token_hex(4)}"


@pytest.fixture(autouse=True)
def _address(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEHIVE_HUB_API", hub.base + "/hub/api")
    monkeypatch.setenv("NOTEHIVE_HUB_TOKEN_FILE", str(hub.home / "hub-admin-token"))
    # A company's proxy must not come between.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")


def run(command: str, **given: Any) -> Any:
    return admin.main([command], json.dumps(given))


def listed(name: str) -> dict[str, Any] | None:
    return next((user for user in run("user-list")["users"] if user["name"] == name), None)


def test_add_list_remove(hub: Any) -> None:
    name = a_name()
    made = run("user-add", name=name.upper(), groups=["risk", "risk"])
    assert made == {"name": name, "password": made["password"], "created": True}
    assert len(made["password"]) == 23
    browser = hub.browser()
    assert browser.log_in(name, made["password"]).status_code == 302
    assert browser.logged_in()
    user = listed(name)
    assert user is not None
    assert user.pop("last_activity").endswith("Z")
    assert user == {
        "name": name,
        "admin": False,
        "groups": ["risk"],
        "has_password": True,
        "approved": True,
        "server": "",
    }
    assert run("user-remove", name=name) == {"name": name, "removed": True}
    assert listed(name) is None
    assert not browser.logged_in()
    with pytest.raises(BadInput, match="There is no user"):
        run("user-remove", name=name)


def test_add_administrator_with_a_given_password(hub: Any) -> None:
    name = a_name()
    made = run("user-add", name=name, admin=True, password="a long password")
    assert made["password"] is None
    browser = hub.browser()
    assert browser.log_in(name, "a long password").status_code == 302
    assert browser.get("/hub/authorize").status_code == 200
    assert browser.get("/hub/admin").status_code == 200


def test_add_existing() -> None:
    name = a_name()
    run("user-add", name=name)
    with pytest.raises(BadInput, match=rf"exists already\. .*user passwd {name}"):
        run("user-add", name=name)


def test_add_gives_an_account_to_a_user_that_the_settings_name() -> None:
    before = listed("deputy")
    assert before is not None
    assert (before["admin"], before["has_password"], before["approved"]) == (True, False, False)
    run("user-add", name="deputy")
    after = listed("deputy")
    assert after is not None
    assert (after["admin"], after["approved"]) == (True, True)


def test_add_goes_before_a_sign_up(hub: Any) -> None:
    name = a_name()
    stranger = {"username": name, "password": "of a stranger", "password_again": "of a stranger"}
    hub.browser().submit("/hub/signup", **stranger)
    user = listed(name)
    assert user is not None
    assert (user["has_password"], user["approved"]) == (True, False)
    with pytest.raises(BadInput, match="waiting for approval"):
        run("user-passwd", name=name)
    made = run("user-add", name=name)
    assert hub.browser().log_in(name, "of a stranger").status_code == 403
    assert hub.browser().log_in(name, made["password"]).status_code == 302


def test_remove_a_sign_up(hub: Any) -> None:
    name = a_name()
    fields = {"username": name, "password": "a long password", "password_again": "a long password"}
    hub.browser().submit("/hub/signup", **fields)
    run("user-remove", name=name)
    assert listed(name) is None


def test_passwd_ends_sessions_and_locks(hub: Any) -> None:
    name = a_name()
    browser, old = hub.user(name)
    for _ in range(3):
        hub.browser().log_in(name, "wrong")
    changed = run("user-passwd", name=name)
    assert not browser.logged_in()
    assert hub.browser().log_in(name, old).status_code == 403
    assert hub.browser().log_in(name, changed["password"]).status_code == 302
    assert run("user-passwd", name=name, password="a long password")["password"] is None
    with pytest.raises(BadInput, match="user add nobody"):
        run("user-passwd", name="nobody")


def test_remove_stops_servers(hub: Any) -> None:
    name = a_name()
    run("user-add", name=name)
    for server in ("server", "servers/second"):
        assert hub.api("POST", f"/users/{name}/{server}").status_code in (201, 202)
    user = listed(name)
    assert user is not None
    assert user["server"] == "running"
    run("user-remove", name=name)
    assert listed(name) is None


@pytest.mark.parametrize(
    ("command", "given", "message"),
    [
        ("user-add", {}, "name: is missing or no text"),
        ("user-add", {"name": 3}, "name: is missing or no text"),
        ("user-add", {"name": "a/b"}, 'only, not "/"'),
        ("user-add", {"name": "x" * 200}, "at most 64"),
        ("user-add", {"name": "new", "groups": ["x"]}, "not defined in settings.yml; defined: ris"),
        ("user-add", {"name": "new", "groups": [["x"]]}, "not defined in settings.yml"),
        ("user-add", {"name": "new", "groups": "risk"}, "groups has the wrong type"),
        ("user-add", {"name": "new", "admin": "yes"}, "admin has the wrong type"),
        ("user-add", {"name": "new", "password": "short"}, "at least 10 characters"),
        ("user-add", {"name": "new", "shell": "/bin/sh"}, "shell: unknown; known are name, groups"),
        ("user-list", {"name": "new"}, "name: unknown; known are none"),
        ("user-passwd", {"name": "boss2", "admin": True}, "admin: unknown"),
        ("user-sudo", {}, "give one command of user-add"),
    ],
)
def test_bad_input(command: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as error:
        run(command, **given)
    assert message in str(error.value)
    assert listed("new") is None


def test_api_is_for_administrators(hub: Any) -> None:
    user, _ = hub.user(a_name())
    xsrf = {"X-XSRFToken": user.cookies["_xsrf"]}
    assert user.get("/hub/api/accounts", headers=xsrf).status_code == 403
    assert user.put("/hub/api/accounts/mine", json={}, headers=xsrf).status_code == 403
    assert hub.browser().get("/hub/api/accounts").status_code == 403
    boss, _ = hub.user(a_name(), admin=True)
    xsrf = {"X-XSRFToken": boss.cookies["_xsrf"]}
    assert boss.get("/hub/api/accounts", headers=xsrf).status_code == 200
    assert boss.put("/hub/api/accounts/mine", json={}).status_code == 403  # no XSRF token


def as_program(command: str, text: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "notehive.hub.admin", command],
        input=text,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(admin.__file__).parents[2]), **env},
        timeout=60,
    )


def test_program(hub: Any) -> None:
    done = as_program("user-list", "{}")
    assert done.returncode == 0
    assert json.loads(done.stdout)["users"]
    for text in ('{"name": "..."}', "{", "[]"):
        bad = as_program("user-add", text)
        assert (bad.returncode, bad.stdout) == (2, "")
        assert len(bad.stderr.splitlines()) == 1
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/hub/api"
        down = as_program("user-list", "{}", NOTEHIVE_HUB_API=address)
    assert down.returncode == 1
    assert "the hub does not answer" in down.stderr
    assert len(down.stderr.splitlines()) == 1


def test_wrong_or_missing_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTEHIVE_HUB_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(NotehiveError, match="token cannot be read"):
        run("user-list")
    (tmp_path / "token").write_text("wrong")
    with pytest.raises(NotehiveError, match="the hub answered 403"):
        run("user-list")
