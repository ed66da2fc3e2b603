"""JupyterLab's page, as a user's hands and eyes have it."""

from playwright.sync_api import Error, Locator, Page, expect

from tests.browser.conftest import SECONDS
from tests.support.hub import User

IDLE = "Python 3 (ipykernel) | Idle"  # in the status bar


def start_server(page: Page, user: User, image: str, size: str) -> None:
    """Choose on the spawn form, start, and wait for JupyterLab."""
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(str(request.failure)))
    page.goto("/hub/spawn")
    page.get_by_role("radio", name=image).check()
    page.get_by_role("radio", name=size).check()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(f"**/user/{user.name}/lab**", timeout=120 * SECONDS)
    shell = page.locator(".jp-LabShell")
    try:
        shell.wait_for(timeout=20 * SECONDS)
    except Error:
        # A browser elsewhere does not see how the server's container changes this machine's
        # interfaces; ours gives up then what it is loading.
        if any("NETWORK_CHANGED" in each for each in failed):
            page.reload()
        shell.wait_for()


def open_notebook(page: Page, name: str) -> Locator:
    """Give the panel of a notebook that is open or in the file browser; its kernel is ready."""
    panel = page.locator(".jp-NotebookPanel:visible")
    file = page.locator(".jp-DirListing-item", has_text=name)
    expect(panel.or_(file).first).to_be_visible()
    if not panel.is_visible():
        file.dblclick()
    expect(panel.locator(".jp-CodeCell").first).to_be_visible()
    expect(page.get_by_text(IDLE)).to_be_visible()
    return panel


def choose(page: Page, menu: str, item: str) -> None:
    """Choose an item of a menu."""
    page.locator(".lm-MenuBar-itemLabel").get_by_text(menu, exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()


def save(page: Page) -> None:
    """Save the notebook and wait until it is."""
    choose(page, "File", "Save Notebook")
    expect(page.locator(".lm-TabBar-tab.jp-mod-current.jp-mod-dirty")).to_have_count(0)
