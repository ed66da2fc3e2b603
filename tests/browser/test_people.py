"""People who come and go: signing up, and one after another in the same browser."""

import base64
import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Login, MakeUser, fill_login, unique
from tests.browser.lab import start_server
from tests.support.hub import call
from tests.support.site import PASSWORD, Site


@pytest.fixture
def newcomer(site: Site) -> Iterator[str]:
    """A name that asks for an account; gone afterwards, approved or not."""
    name = unique("nell")
    yield name
    site.notehive("user", "remove", name)


def test_sign_up(
    site: Site, browser: Browser, page: Page, login: Login, make_user: MakeUser, newcomer: str
) -> None:
    page.goto("/hub/login")
    page.get_by_role("link", name="Ask for an account").click()
    page.get_by_label("User name").fill(newcomer)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Ask for an account").click()
    expect(page.get_by_role("status")).to_contain_text(newcomer)

    page.get_by_role("link", name="Back to login").click()
    fill_login(page, newcomer)
    expect(page.locator(".login_error")).to_be_visible()

    boss = make_user("boss", "--admin")
    with browser.new_context(base_url=site.url) as other:
        desk = other.new_page()
        login(desk, boss.name)
        desk.goto("/hub/home")
        desk.get_by_role("link", name="Sign-ups").click()
        desk.get_by_role("button", name=f"Approve {newcomer}").click()
        expect(desk.get_by_role("button", name=f"Approve {newcomer}")).to_have_count(0)

    login(page, newcomer)
    expect(page.get_by_role("heading", name="Start a server")).to_be_visible()


def test_one_after_another(
    site: Site, context: BrowserContext, page: Page, login: Login, make_user: MakeUser
) -> None:
    anna, bert = make_user("anna"), make_user("bert")
    login(page, anna.name)
    start_server(page, anna, "Base", "Small")
    page.goto("/mlflow/")
    expect(page.get_by_text("Experiments").first).to_be_visible()
    annas = gate_cookie(context)
    assert whose(site, annas) == anna.name

    page.goto("/hub/home")
    page.get_by_role("button", name="Logout").click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert whose(site, annas) is None
    login(page, bert.name)
    page.goto("/hub/home")
    expect(page.locator(".nh-user")).to_have_text(bert.name)
    expect(page.locator("#state")).to_contain_text("Not running")

    # Anna's server runs, and is not for Bert, whatever this browser keeps of her visit.
    refused = page.goto(f"/user/{anna.name}/lab")
    assert refused is not None and refused.status == 403
    assert page.locator(".jp-LabShell").count() == 0
    page.goto("/mlflow/")
    expect(page.get_by_text("Experiments").first).to_be_visible()
    assert whose(site, gate_cookie(context)) == bert.name


def gate_cookie(context: BrowserContext) -> str:
    """The token that vouches for this browser at the pages that are not the hub's own."""
    signed = {cookie["name"]: cookie["value"] for cookie in context.cookies()}["notehive-gate"]
    return base64.b64decode(signed.split("|")[-2].partition(":")[2]).decode()


def whose(site: Site, token: str) -> str | None:
    """Name of the user whose token this is; None if it is nobody's any more."""
    answer = call(site, "GET", "/user", token=token)
    return str(json.loads(answer.body)["name"]) if answer.status == 200 else None
