"""Each user's servers at a name of their own, over https with the certificate that `up` makes."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Login, MakeUser
from tests.browser.lab import choose, open_notebook, start_server
from tests.support.site import NUMBER, ROOT, Site, changed, fetch

pytestmark = pytest.mark.long

CELL = "print(6 * 7)"
# What a page of a server can learn of another page, with the cookies of whoever looks at it.
ASK = "address => fetch(address, {credentials: 'include'}).then(a => a.text(), () => 'refused')"


@pytest.fixture
def named(site: Site) -> Iterator[Site]:
    """The site with a name for each user."""
    url = site.url.replace("http:", "https:")
    tls = {"kind": "self-signed", "http_port": 18180 + NUMBER}
    with changed(site, url=url, tls=tls, subdomains=True):
        site.authority = ROOT / ".notehive/stacks" / site.name / "authority.crt"
        yield site


def test_each_user_has_a_name(
    named: Site, context: BrowserContext, page: Page, login: Login, make_user: MakeUser
) -> None:
    ana, ben = make_user("ana"), make_user("ben")
    home = named.url.replace("https://", f"https://{ana.name}.")
    page.goto(f"{named.url}/hub/login")
    login(page, ana.name)
    start_server(page, ana, "Base", "Small")
    assert page.url.startswith(f"{home}/user/{ana.name}/lab")

    page.locator(".jp-LauncherCard[data-category='Notebook']").first.click()
    panel = open_notebook(page, "Untitled.ipynb")
    panel.locator(".jp-CodeCell .cm-content").first.fill(CELL)
    choose(page, "Run", "Run All Cells")
    expect(panel.locator(".jp-OutputArea-output")).to_have_text("42")

    with context.new_page() as other:
        other.goto(f"{named.url}/mlflow/")
        expect(other).to_have_title(re.compile("MLflow"))
        # The name is for servers: all else is where it was.
        other.goto(f"{home}/hub/home")
        assert other.url == f"{named.url}/hub/home"
    cookies = {str(each["name"]): each for each in context.cookies()}
    assert cookies["notehive-gate"]["domain"] == named.host
    logins = [name for name in cookies if name.startswith("__Host-")]
    assert len(logins) == 2, "of the hub and of the server, which no other name can set"

    assert page.evaluate(ASK, "/user/" + ana.name + "/api/status").startswith("{")
    for path in ("/hub/api/user", "/hub/home", "/mlflow/"):
        assert page.evaluate(ASK, named.url + path) == "refused"

    answer = fetch(
        named,
        f"/user/{ana.name}/api/status",
        headers={"Host": home.removeprefix("https://"), "Authorization": f"Bearer {ben.token}"},
    )
    assert answer.status == 403
    with context.new_page() as other:
        other.goto(f"{named.url}/hub/home")
        other.get_by_role("button", name="Logout").click()
        other.wait_for_url("**/hub/log**")
        other.goto(f"{home}/user/{ana.name}/lab")
        expect(other.get_by_label("Password")).to_be_visible()
        assert other.url.startswith(named.url)
