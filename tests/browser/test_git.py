"""Repositories as people look at them."""

import json
import re
from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.browser.conftest import Login, MakeUser
from tests.support.hub import User
from tests.support.owner import Owner
from tests.support.site import fetch


def make(owner: User, group: str) -> str:
    """Have the API make a repository; give its name."""
    name = f"seen-{uuid4().hex[:8]}"
    headers = {"Authorization": f"Bearer {owner.token}", "Content-Type": "application/json"}
    body = json.dumps({"name": name, "group": group}).encode()
    answer = fetch(owner.site, "/notehive-api/models", method="POST", headers=headers, body=body)
    assert answer.status == 201, answer
    return name


def test_own_repositories_are_shown(page: Page, login: Login, make_user: MakeUser) -> None:
    anna, bert = make_user("anna", "--group", "lab"), make_user("bert", "--group", "guild")
    mine, others = make(anna, "lab"), make(bert, "guild")
    anna.start(image="base", size="small")
    script = (
        f"git clone -q {anna.site.url}/git/lab/{mine}.git && cd {mine}"
        " && echo '# Churn <script>document.title=1</script>' > README.md"
        " && echo '<script>document.title=\"ran\"</script>' > page.html"
        " && git add . && git commit -qm 'First' && git push -q origin main"
    )
    Owner(anna.site, anna).does(script)

    login(page, bert.name)
    page.get_by_role("link", name="Git", exact=True).click()
    expect(page.get_by_role("link", name=others, exact=True)).to_be_visible()
    expect(page.get_by_text(mine)).to_have_count(0)

    page.context.clear_cookies()
    login(page, anna.name)
    page.goto("/git/")
    page.get_by_role("link", name=mine, exact=True).click()
    expect(page.get_by_text(f"{anna.site.url}/git/lab/{mine}.git")).to_be_visible()
    expect(page.get_by_role("link", name="First", exact=True).first).to_be_visible()
    # It has its style: pages may load that, and nothing else.
    color = "getComputedStyle(document.querySelector('table.tabs a.active')).backgroundColor"
    assert page.evaluate(color) != "rgba(0, 0, 0, 0)"
    page.get_by_role("link", name="tree", exact=True).click()
    page.get_by_role("link", name="page.html", exact=True).click()
    expect(page.get_by_text('document.title="ran"')).to_be_visible()
    page.get_by_role("link", name="plain", exact=True).click()
    expect(page.get_by_text('document.title="ran"')).to_be_visible()
    expect(page).not_to_have_title(re.compile("ran"))
