"""A restart of the hub."""

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
    def asks_the_hub() -> list[int]:
        """What the pages answer that ask the hub whose request it is, each with a new token."""
        token = kara.ask("POST", f"/users/{kara.name}/tokens", {})["token"]
        headers = {"Authorization": f"Bearer {token}"}
        paths = ("/mlflow/version", f"/user/{kara.name}/api/status")
        return [fetch(site, path, headers=headers).status for path in paths]

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

    assert asks_the_hub() == [200, 200]

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
    wait_for("all who ask the hub", lambda: asks_the_hub() == [200, 200])

    expect(output).to_contain_text(f"count {COUNT - 1}", timeout=COUNT * 2 * SECONDS)
    assert output.inner_text().split() == [w for n in range(COUNT) for w in ("count", str(n))]
    assert not [url for url in closed if url in channels]
    assert [socket.url for socket in opened if "/channels" in socket.url] == channels
    wait_for("the server to let the hub in", lambda: (kara.server() or {}).get("ready"), 30)
