"""A real Chromium, and users to be in it."""

import os
import secrets
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.hub import User, user
from tests.support.site import PASSWORD, ROOT, Site

CHROMIUM = ROOT / ".notehive/chromium"  # made by `make test`
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    # Its connections end when the machine's network interfaces change, as each container's start
    # does here.
    "--disable-http2",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECONDS = 1000  # of playwright, which counts milliseconds
PATIENCE = 60 * SECONDS  # of a busy machine, for whatever is to happen

Login = Callable[[Page, str], None]
MakeUser = Callable[..., User]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser for the tests of this folder; each has its own cookies in it.

    No longer than that: as long as it is there, no other test can have an event loop of its own.
    """
    path = CHROMIUM if CHROMIUM.exists() else shutil.which("chromium")
    assert path, "there is no Chromium; `make .notehive/chromium` gets one"
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def context(
    browser: Browser, site: Site, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[BrowserContext]:
    """A browser that has not been here before; what it did is kept if the test fails."""
    context = browser.new_context(
        base_url=site.url,
        viewport={"width": 1280, "height": 800},
        # A test's authority is not Chromium's; other clients verify it.
        ignore_https_errors=True,
    )
    context.set_default_timeout(PATIENCE)
    context.tracing.start(screenshots=True, snapshots=True)
    yield context
    if getattr(request.node, "failed", False):
        for number, page in enumerate(context.pages):
            page.screenshot(path=tmp_path / f"page-{number}.png")
            print(f"{page.url}: {tmp_path}/page-{number}.png")
        context.tracing.stop(path=tmp_path / "trace.zip")
        print(f"trace: {tmp_path}/trace.zip (for `playwright show-trace`)")
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page of that browser."""
    return context.new_page()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Tell the fixtures whether the test failed."""
    report = yield
    if report.failed:
        item.failed = True  # type: ignore[attr-defined]
    return report


@pytest.fixture
def make_user(site: Site) -> Iterator[MakeUser]:
    """Make users with names of their own, removed at the end with their servers."""
    with ExitStack() as stack:

        def make(prefix: str, *options: str) -> User:
            return stack.enter_context(user(site, unique(prefix), *options))

        yield make


@pytest.fixture
def login() -> Login:
    """Log a user in who comes from nowhere; ends on whatever page the hub shows then."""

    def log_in(page: Page, name: str) -> None:
        page.goto("/hub/login")
        fill_login(page, name)
        page.wait_for_url(lambda url: "/hub/login" not in url)

    return log_in


def fill_login(page: Page, name: str) -> None:
    """Fill the login form that is shown, and send it."""
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def unique(prefix: str) -> str:
    """A user's name that no other test and no earlier run has had."""
    return f"{prefix}-{secrets.token_hex(3)}"


def screenshots_wanted() -> bool:
    """Whether the pictures of the documentation are to be made anew."""
    return os.environ.get("NOTEHIVE_SCREENSHOTS") == "1"
