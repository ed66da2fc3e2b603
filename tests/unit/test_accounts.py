"""Accounts, as people and attackers meet them."""

import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from notehive.hub.failed_logins import FailedLogins
from notehive.hub.passwords import check_new_password, generate_password


def a_name(prefix: str = "user") -> str:
    return f"{prefix}-{secrets.token_hex(4)}"


def message(response: requests.Response) -> str:
    """What the page tells the person."""
    found = re.search(
        r'class="(?:login_error|alert alert-\w+)"[^>]*>\s*(.+?)\s*</p>', response.text, re.S
    )
    return found[1] if found else ""


def test_login(hub: Any) -> None:
    name = a_name()
    browser, _ = hub.user(name)
    assert browser.logged_in()
    assert not hub.browser().logged_in()


def test_login_leads_to_the_spawn_form(hub: Any) -> None:
    name = a_name()
    _, password = hub.user(name)
    browser = hub.browser()
    assert browser.log_in(name, password).headers["Location"] == "/hub/spawn"
    assert browser.get("/hub/", allow_redirects=False).headers["Location"] == "/hub/spawn"


def test_name_is_case_insensitive_and_password_is_not(hub: Any) -> None:
    name = a_name()
    _, password = hub.user(name)
    assert hub.browser().log_in(f" {name.upper()} ", password).status_code == 302
    assert hub.browser().log_in(name, password.upper()).status_code == 403


@pytest.mark.parametrize(
    "name", ["nobody", "../x", "x" * 200, "a b", "%2e%2e", "\u202eana", "", "ñ"]
)
def test_wrong_login(hub: Any, name: str) -> None:
    response = hub.browser().log_in(name, "wrong password")
    assert response.status_code == 403
    assert "Sign in" in response.text
    expected = "Wrong user name or password." if name else "Give your user name and your password."
    assert message(response) == expected


def test_login_form_without_fields_or_with_a_huge_password(hub: Any) -> None:
    assert hub.browser().submit("/hub/login").status_code == 403
    name = a_name()
    hub.user(name)
    assert hub.browser().log_in(name, "x" * 10_000).status_code == 403


def test_login_needs_the_xsrf_token(hub: Any) -> None:
    name = a_name()
    _, password = hub.user(name)
    response = hub.browser().post(
        "/hub/login", data={"username": name, "password": password}, allow_redirects=False
    )
    assert response.status_code == 403


def test_lock_out_and_its_end(hub: Any) -> None:
    name = a_name()
    _, password = hub.user(name)
    for _ in range(2):
        assert message(hub.browser().log_in(name, "wrong")) == "Wrong user name or password."
    locked = "Too many failed logins: locked, try again in 10 minutes."
    assert message(hub.browser().log_in(name, "wrong")) == locked
    assert message(hub.browser().log_in(name, password)) == locked
    hub.wait(9.5 * 60)
    assert "in 1 minute." in message(hub.browser().log_in(name, password))
    hub.wait(31)
    # From zero again: one failure does not lock.
    assert message(hub.browser().log_in(name, "wrong")) == "Wrong user name or password."
    assert hub.browser().log_in(name, password).status_code == 302


def test_a_success_ends_the_row_of_failures(hub: Any) -> None:
    name = a_name()
    _, password = hub.user(name)
    for _ in range(3):
        for _ in range(2):
            hub.browser().log_in(name, "wrong")
        assert hub.browser().log_in(name, password).status_code == 302


def test_unknown_names_lock_alike(hub: Any) -> None:
    name = a_name("nobody")
    answers = [message(hub.browser().log_in(name, "wrong")) for _ in range(4)]
    assert [answer.split()[0] for answer in answers] == ["Wrong", "Wrong", "Too", "Too"]


def test_guesses_sent_at_once_are_counted(hub: Any) -> None:
    name = a_name()
    _, password = hub.user(name)
    browsers = [hub.browser() for _ in range(12)]
    guesses = ["wrong"] * 11 + [password]
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda b, g: b.log_in(name, g), browsers[:11], guesses[:11]))
    assert sum(message(a).startswith("Wrong") for a in answers) == 2
    assert message(browsers[11].log_in(name, password)).startswith("Too many")


def test_guesses_by_the_api_are_counted(hub: Any) -> None:
    name = a_name()
    _, password = hub.user(name)
    url = f"/hub/api/users/{name}/tokens"
    for auth in ({"username": name, "password": "wrong"},) * 3:
        assert hub.browser().post(url, json={"auth": auth}).status_code == 403
    right = {"username": name, "password": password}
    assert hub.browser().post(url, json={"auth": right}).status_code == 403


@pytest.mark.parametrize(
    "auth", [[], "x", {"username": 1, "password": 2}, {"username": ["a"]}, None]
)
def test_malformed_credentials_by_the_api(hub: Any, auth: Any) -> None:
    response = hub.browser().post("/hub/api/users/boss/tokens", json={"auth": auth})
    assert response.status_code == 403


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/hub/token", "/hub/token"),
        ("/mlflow/#/experiments", "/mlflow/#/experiments"),
        ("//evil.example/x", "/hub/spawn"),
        ("https://evil.example/x", "/hub/spawn"),
        ("/\\evil.example", "/%5Cevil.example"),
        ("javascript:alert(1)", "/hub/spawn"),
    ],
)
def test_next_stays_on_this_site(hub: Any, wanted: str, reached: str) -> None:
    name = a_name()
    _, password = hub.user(name)
    target = hub.browser().log_in(name, password, next_url=wanted).headers["Location"]
    assert target == reached
    assert not urlsplit(target).netloc


# Sign-up


def sign_up(
    hub: Any, name: str, password: str = "a long password", again: str = ""
) -> requests.Response:
    response: requests.Response = hub.browser().submit(
        "/hub/signup", username=name, password=password, password_again=again or password
    )
    return response


def test_sign_up_waits_for_approval(hub: Any) -> None:
    name = a_name("new")
    assert "as soon as" in message(sign_up(hub, name))
    waiting = hub.browser().log_in(name, "a long password")
    assert waiting.status_code == 403
    assert message(waiting) == "Your account is waiting for an administrator&#39;s approval."
    # Who does not know the password learns nothing.
    assert message(hub.browser().log_in(name, "wrong")) == "Wrong user name or password."

    boss, _ = hub.user(a_name("chief"), admin=True)
    assert name in boss.get("/hub/authorize").text
    assert boss.submit("/hub/authorize", username=name, action="approve").status_code == 303
    assert name not in boss.get("/hub/authorize").text
    assert hub.browser().log_in(name, "a long password").status_code == 302


def test_discarded_sign_up_leaves_nothing(hub: Any) -> None:
    name = a_name("new")
    sign_up(hub, name)
    boss, _ = hub.user(a_name("chief"), admin=True)
    boss.submit("/hub/authorize", username=name, action="discard")
    assert message(hub.browser().log_in(name, "a long password")).startswith("Wrong")
    assert "as soon as" in message(sign_up(hub, name))


def test_approval_is_for_administrators_by_post_with_token_only(hub: Any) -> None:
    name = a_name("new")
    sign_up(hub, name)
    boss, _ = hub.user(a_name("chief"), admin=True)
    fields = {"username": name, "action": "approve"}
    # The ways of the authenticator that ours is made from.
    for path in (
        f"/hub/authorize/{name}",
        f"/hub/discard/{name}",
        f"/hub/authorize?action=approve&username={name}",
    ):
        boss.get(path)
    assert boss.post("/hub/authorize", data=fields).status_code == 403
    user, _ = hub.user(a_name())
    assert user.submit("/hub/authorize", **fields).status_code == 403
    assert user.get("/hub/authorize").status_code == 403
    assert hub.browser().submit("/hub/authorize", **fields).status_code in (302, 403)
    assert message(hub.browser().log_in(name, "a long password")).startswith(
        "Your account is waiting"
    )
    assert boss.submit("/hub/authorize", username=name, action="else").status_code == 400


def test_discarding_does_not_touch_an_account_in_use(hub: Any) -> None:
    name = a_name()
    browser, _ = hub.user(name)
    boss, _ = hub.user(a_name("chief"), admin=True)
    assert boss.submit("/hub/authorize", username=name, action="discard").status_code == 303
    assert browser.logged_in()


@pytest.mark.parametrize("spelling", ["boss", "BOSS", "\uff42oss", "deputy"])
def test_an_administrators_name_cannot_be_taken(hub: Any, spelling: str) -> None:
    """deputy has no account yet: with the parent's code, whoever comes first is approved."""
    response = sign_up(hub, spelling)
    assert response.status_code == 400
    assert "is taken" in message(response)
    assert hub.browser().log_in("deputy", "a long password").status_code == 403
    boss, _ = hub.user(a_name("chief"), admin=True)
    hub.wait(3600)  # the failed logins of this test are not of interest to the next
    assert "deputy" not in boss.get("/hub/authorize").text


def test_member_of_a_group_without_account(hub: Any) -> None:
    """The hub knows mara from the settings; that alone lets nobody in, approved or not."""
    assert hub.browser().log_in("mara", "").status_code == 403
    sign_up(hub, "mara")
    assert message(hub.browser().log_in("mara", "a long password")).startswith("Your account")
    boss, _ = hub.user(a_name("chief"), admin=True)
    assert "will be in risk" in boss.get("/hub/authorize").text


@pytest.mark.parametrize(
    ("name", "password", "again", "error"),
    [
        ("", "a long password", "", "is empty"),
        ("../x", "a long password", "", "begins with a letter or a digit"),
        ("a/b", "a long password", "", "only, not"),
        ("x" * 200, "a long password", "", "at most 64 characters, not 200"),
        ("new", "short", "", "at least 10 characters"),
        ("new", "1234567890", "", "too common"),
        ("new", "aaaaaaaaaaaaaa", "", "too common"),
        ("new", "x y z " * 13, "", "at most 72 bytes"),
        ("newcomer.with.dots", "newcomer.with.dots", "", "is the user name"),
        ("new", "a long password", "another password", "passwords differ"),
    ],
)
def test_refused_sign_up(hub: Any, name: str, password: str, again: str, error: str) -> None:
    response = sign_up(hub, name, password, again)
    assert response.status_code == 400
    assert error in message(response)
    assert "<script" not in message(response)


def test_sign_up_shows_input_escaped(hub: Any) -> None:
    response = sign_up(hub, '"><script>alert(1)</script>')
    assert response.status_code == 400
    assert "<script>alert(1)" not in response.text


def test_names_side_by_side(hub: Any) -> None:
    base = secrets.token_hex(3)
    people = [
        f"{base}{rest}" for rest in ("a.b", "a-b", "a_b", "a+b", "a@b.example", "åß日本", "a" * 50)
    ]
    browsers = [hub.user(name)[0] for name in people]
    for name, browser in zip(people, browsers, strict=True):
        shown = browser.get("/hub/api/user", headers={"X-XSRFToken": browser.cookies["_xsrf"]})
        assert shown.json()["name"] == name.replace("ß", "ss")
    taken = sign_up(hub, f"{base}a\u030ass日本")
    assert "is taken" in message(taken)


# Passwords


def change(browser: Any, old: str, new: str, again: str = "") -> requests.Response:
    response: requests.Response = browser.submit(
        "/hub/change-password", current_password=old, password=new, password_again=again or new
    )
    return response


def test_change_password_ends_other_sessions(hub: Any) -> None:
    name = a_name()
    browser, old = hub.user(name)
    elsewhere = hub.browser()
    elsewhere.log_in(name, old)
    response = change(browser, old, "a new password")
    assert response.status_code == 303
    assert "is changed" in message(browser.get(response.headers["Location"]))
    assert browser.logged_in()
    assert not elsewhere.logged_in()
    assert hub.browser().log_in(name, old).status_code == 403
    assert hub.browser().log_in(name, "a new password").status_code == 302


def test_refused_change_of_password(hub: Any) -> None:
    name = a_name()
    browser, old = hub.user(name)
    for response, error in (
        (change(browser, "wrong", "a new password"), "current password is wrong"),
        (change(browser, old, "short"), "at least 10"),
        (change(browser, old, "a new password", "another password"), "differ"),
    ):
        assert response.status_code == 400
        assert error in message(response)
    assert browser.logged_in()
    assert hub.browser().log_in(name, old).status_code == 302
    anybody = hub.browser().get("/hub/change-password", allow_redirects=False)
    assert anybody.headers["Location"].startswith("/hub/login")


def test_guessing_by_change_of_password_locks(hub: Any) -> None:
    name = a_name()
    browser, old = hub.user(name)
    answers = [message(change(browser, "wrong", "a new password")) for _ in range(3)]
    assert answers[2].startswith("Too many")
    assert message(change(browser, old, "a new password")).startswith("Too many")


def test_removing_a_user_on_the_admin_page_removes_the_account(hub: Any) -> None:
    name = a_name()
    browser, password = hub.user(name)
    assert hub.api("DELETE", f"/users/{name}").status_code == 204
    assert not browser.logged_in()
    assert hub.browser().log_in(name, password).status_code == 403
    assert hub.api("PATCH", f"/accounts/{name}").status_code == 404


def test_links_in_the_menu(hub: Any) -> None:
    user, _ = hub.user(a_name())
    page = user.get("/hub/home").text
    assert all(
        f'href="{link}' in page for link in ("/hub/home", "/mlflow/#", "/hub/change-password")
    )
    assert "/hub/authorize" not in page and 'href="/prometheus/' not in page
    sign_up(hub, a_name("new"))
    boss, _ = hub.user(a_name("chief"), admin=True)
    bosses = boss.get("/hub/home").text
    assert re.search(r'class="nh-count"[^>]*>\d+<', bosses) and 'href="/prometheus/' in bosses
    assert 'href="/hub/signup"' in hub.browser().get("/hub/login").text


# The parts


def test_failed_logins_are_bounded_and_forgotten() -> None:
    now = [0.0]
    failures = FailedLogins(2, 60, clock=lambda: now[0], most_names=3)
    failures.failed("ana")
    now[0] = 61
    failures.failed("ana")
    assert failures.locked_for("ana") == 0
    failures.failed("ana")
    assert failures.locked_for("ana") == 60
    now[0] += 59.5
    assert failures.locked_for("ana") == 1
    now[0] += 86_400  # where only the seconds of a time difference are looked at, this locks
    assert failures.locked_for("ana") == 0
    for number in range(10):
        failures.failed(f"name-{number}")
    assert len(failures._failures) == 3


@pytest.mark.parametrize("shortest", [8, 10, 30, 60])
def test_generated_passwords_are_accepted(shortest: int) -> None:
    password = generate_password(shortest)
    check_new_password(password, name="ana", shortest=shortest, is_common=False)
    assert len(password) >= 23
    assert password != generate_password(shortest)
