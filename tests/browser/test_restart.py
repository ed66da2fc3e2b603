"""A restart of the hub, and a part of the platform that is switched off."""

import copy
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.browser.conftest import SECONDS, Login, MakeUser
from tests.browser.lab import choose, open_notebook, start_server
from tests.support.site import Site, docker, fetch, wait_for

COUNT = 20
CELL = f"""\
import time
for number in range({COUNT}):
    print("count", number, flush=True)
    time.sleep(1)
"""


def test_a_killed_hub_disturbs_no_kernel(
    site: Site, page: Page, login: Login, make_user: MakeUser
) -> None:
    opened: list[WebSocket] = []
    closed: list[str] = []

    def keep_book(socket: WebSocket) -> None:
        opened.append(socket)
        socket.on("close", lambda socket: closed.append(socket.url))

    page.on("websocket", keep_book)
    kara = make_user("kara")
    login(page, kara.name)
    start_server(page, kara, "Base", "Small")
    page.locator(".jp-LauncherCard[data-category='Notebook']").first.click()
    panel = open_notebook(page, "Untitled.ipynb")
    channels = [socket.url for socket in opened if "/channels" in socket.url]
    assert len(channels) == 1

    panel.locator(".cm-content").first.click()
    page.keyboard.insert_text(CELL)
    choose(page, "Run", "Run Selected Cell")
    output = panel.locator(".jp-OutputArea-output").first
    expect(output).to_contain_text("count 2")
    killed = site.container("hub")
    docker("kill", killed)
    # The page that meets whoever comes now tries again by itself.
    with page.context.new_page() as visitor:
        visitor.goto("/hub/home")
        expect(visitor.get_by_role("heading", name="One moment")).to_be_visible()
        wait_for("the hub", lambda: fetch(site, "/hub/health").status == 200)
        expect(visitor.locator(".nh-user")).to_have_text(kara.name)
    assert site.container("hub") != killed

    expect(output).to_contain_text(f"count {COUNT - 1}", timeout=COUNT * 2 * SECONDS)
    assert output.inner_text().split() == [w for n in range(COUNT) for w in ("count", str(n))]
    assert not [url for url in closed if url in channels]
    assert [socket.url for socket in opened if "/channels" in socket.url] == channels
    assert (kara.server() or {}).get("ready")


@pytest.fixture
def without_mlflow(site: Site) -> Iterator[None]:
    """The site without MLflow, and with it again afterwards."""
    settings = copy.deepcopy(site.settings)
    site.settings["services"] = {"mlflow": False}
    try:
        site.up()
        yield
    finally:
        site.settings = settings
        site.up()


def test_what_is_switched_off_is_not_there(
    site: Site, page: Page, login: Login, make_user: MakeUser, without_mlflow: None
) -> None:
    otto = make_user("otto")
    login(page, otto.name)
    page.goto("/hub/home")
    expect(page.get_by_role("link", name="Home")).to_be_visible()
    expect(page.get_by_role("link", name="MLflow")).to_have_count(0)
    answer = page.goto("/mlflow/")
    assert answer is not None and answer.status == 404
    assert f"{site.name}_mlflow" not in site.services()
    start_server(page, otto, "Base", "Small")
    environment = docker("exec", site.container(otto.service), "env")
    assert "MLFLOW_TRACKING_URI" not in environment
