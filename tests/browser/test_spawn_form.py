"""The spawn form and the page Home under limits: a real hub and Chromium, stand-ins of servers."""

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SECONDS
from tests.support.releases import publish
from tests.unit.conftest import Hub, running_hub

SETTINGS = """
groups:
  everyone: {limits: {cpu: 4, memory: 8G, servers: 2}}
images:
  base: {title: Base, description: Python and JupyterLab, packages: [jupyterlab 4.6, pip 26.3]}
  science: {title: Science, packages: [pandas 3.1]}
sizes:
  small: {title: Small, limit: {cpu: 1, memory: 1G}}
  medium: {title: Medium, limit: {cpu: 2, memory: 6G}}
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with running_hub(tmp_path_factory.mktemp("form"), SETTINGS) as hub:
        yield hub


@pytest.fixture(params=[(1280, 800), (400, 800)], ids=["desktop", "phone"])
def page(hub: Hub, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a user who is logged in, wide and narrow."""
    width, height = request.param
    _, password = hub.user("ana")
    with browser.new_context(
        base_url=hub.base, viewport={"width": width, "height": height}
    ) as context:
        context.set_default_timeout(30 * SECONDS)
        page = context.new_page()
        page.goto("/hub/login")
        page.get_by_label("Username").fill("ana")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Start a server")).to_be_visible()
        yield page
    for server in hub.api("GET", "/users/ana").json()["servers"]:
        assert hub.api("DELETE", f"/users/ana/servers/{server}").status_code == 204
    assert hub.api("DELETE", "/users/ana").status_code == 204


def nothing_sticks_out(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_what_is_installed(page: Page) -> None:
    """Opens without choosing the image; anywhere else, a card is its radio button."""
    expect(page.get_by_role("radio", name="Base")).to_be_checked()
    card = page.locator(".nh-card", has_text="Science")
    card.get_by_text("What is installed").click()
    expect(card.get_by_text("pandas 3.1")).to_be_visible()
    expect(page.get_by_text("jupyterlab 4.6")).to_be_hidden()
    expect(page.get_by_role("radio", name="Base")).to_be_checked()
    assert nothing_sticks_out(page)
    card.click(position={"x": 5, "y": 5})
    expect(page.get_by_role("radio", name="Science")).to_be_checked()


@pytest.fixture
def released(hub: Hub) -> Iterator[None]:
    """Two releases, one with the longest names that there can be."""
    root = hub.home / "models"
    publish(root, "everyone", "geo", image="science")
    publish(root, "everyone", f"a{'-long-name' * 4}"[:40], title="W" * 60, packages=[])
    yield
    shutil.rmtree(root)


def test_an_image_that_a_group_has_released(page: Page, released: None) -> None:
    page.goto("/hub/spawn")
    card = page.locator(".nh-card", has_text="Geography")
    expect(card).to_contain_text("everyone/geo, built on Science")
    expect(card).to_contain_text("Released 21 Nov 2026 by ana")
    card.get_by_text("Added from Debian").click()
    expect(card.get_by_text("gdal-bin")).to_be_visible()
    assert nothing_sticks_out(page)
    page.get_by_role("radio", name="Geography").check()
    page.get_by_role("button", name="Start").click()
    page.goto("/hub/home")
    expect(page.locator("#state")).to_contain_text("Geography, Small")


def test_what_does_not_fit_is_grey_and_says_why(page: Page, hub: Hub) -> None:
    expect(page.locator(".nh-used")).to_contain_text("You hold 0 of 2 servers, 0 of 4 CPUs")
    hub.api("POST", "/users/ana/servers/first", {"image": "base", "size": "medium"})
    # The form that is open does not know of it yet.
    page.get_by_role("radio", name="Science").check()
    page.get_by_role("radio", name="Medium").check()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("alert")).to_have_text(
        "This size needs 6 GB of memory; you have 2 of 8 GB left."
    )
    expect(page.get_by_role("radio", name="Science")).to_be_checked()
    expect(page.get_by_role("radio", name="Medium")).to_be_disabled()
    expect(page.locator(".nh-card", has_text="Medium")).to_contain_text("needs 6 GB, 2 GB left")
    expect(page.get_by_role("radio", name="Small")).to_be_checked()
    assert nothing_sticks_out(page)

    hub.api("POST", "/users/ana/servers/second", {"size": "small"})
    page.goto("/hub/spawn")
    expect(page.get_by_role("button", name="Start")).to_be_disabled()
    expect(page.locator(".nh-card", has_text="Small")).to_contain_text("stop a server first")


def test_home_says_how_much_is_left(page: Page, hub: Hub) -> None:
    hub.api("POST", "/users/ana/servers/first", {"image": "base", "size": "medium"})
    page.goto("/hub/home")
    used = page.locator("#used")
    expect(used).to_have_text("You hold 1 of 2 servers, 2 of 4 CPUs, 6 of 8 GB of memory.")
    expect(page.locator(".home-server-row", has_text="first")).to_contain_text("Base, Medium")
    assert nothing_sticks_out(page)
    page.locator("#stop-first").click()
    expect(used).to_have_text(re.compile("^You hold 0 of 2 servers"))
