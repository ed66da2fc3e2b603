"""MLflow's page shows each their own groups, and what users made without anybody's rights."""

import json
import secrets
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Login, MakeUser
from tests.support.hub import User
from tests.support.site import fetch

API = "/mlflow/api/2.0/mlflow"
FILES = "/mlflow/api/2.0/mlflow-artifacts/artifacts"
# Says whether it may read cookies; what it says is not in its source.
CURIOUS = b"""<p id="said"></p><script>
let said = "no" + " cookies";
try { said = "has" + " cookies " + document.cookie } catch (error) {}
document.getElementById("said").textContent = said;
</script>"""


def ask(asker: User, method: str, path: str, body: Any, workspace: str = "default") -> Any:
    """Make a request to MLflow that must succeed; give its JSON, if any."""
    headers = {
        "Authorization": f"Bearer {asker.token}",
        "Content-Type": "application/json",
        "X-MLFLOW-WORKSPACE": workspace,
    }
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = fetch(asker.site, path, method=method, headers=headers, body=data)
    assert answer.status == 200, answer
    return json.loads(answer.body) if answer.body else None


def make_experiment(owner: User, workspace: str) -> tuple[str, str]:
    """Make an experiment; give its name and id."""
    name = f"of-{owner.name}-{secrets.token_hex(3)}"
    made = ask(owner, "POST", f"{API}/experiments/create", {"name": name}, workspace)
    return name, made["experiment_id"]


def log_out(page: Page) -> None:
    """Log out on the hub's page."""
    page.goto("/hub/home")
    page.get_by_role("button", name="Logout").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_each_sees_their_own_groups(page: Page, login: Login, make_user: MakeUser) -> None:
    anna, bert = make_user("anna", "--group", "lab"), make_user("bert")
    annas, _ = make_experiment(anna, "lab")
    berts, _ = make_experiment(bert, "default")
    login(page, anna.name)
    page.goto("/mlflow/")
    expect(page.get_by_text(anna.name, exact=True).first).to_be_visible()
    page.get_by_text("lab", exact=True).first.click()
    expect(page.get_by_text("lab", exact=True).first).to_be_visible()
    page.goto("/mlflow/#/experiments?workspace=lab")
    expect(page.get_by_text(annas)).to_be_visible()
    expect(page.get_by_text(berts)).to_have_count(0)

    # The page itself remembers, in this browser, what Anna looked at last.
    log_out(page)
    login(page, bert.name)
    page.goto("/mlflow/")
    expect(page.get_by_text(bert.name, exact=True).first).to_be_visible()
    expect(page.get_by_text("default", exact=True).first).to_be_visible()
    expect(page.get_by_text("lab", exact=True)).to_have_count(0)
    page.goto("/mlflow/#/experiments?workspace=lab")
    expect(page.get_by_text("not open to you").first).to_be_visible()
    expect(page.get_by_text(annas)).to_have_count(0)
    page.goto("/mlflow/#/experiments?workspace=default")
    page.reload()
    expect(page.get_by_text(berts)).to_be_visible()


@pytest.fixture
def curious(make_user: MakeUser) -> tuple[User, str, str]:
    """A user with a run that has a page with a script; with them the experiment and the run."""
    owner = make_user("cora")
    _, experiment = make_experiment(owner, "default")
    made = ask(owner, "POST", f"{API}/runs/create", {"experiment_id": experiment})
    run = made["run"]["info"]["run_id"]
    ask(
        owner,
        "PUT",
        f"{FILES}/workspaces/default/{experiment}/{run}/artifacts/curious.html",
        CURIOUS,
    )
    return owner, experiment, run


def test_a_file_is_shown_in_the_page(
    page: Page, login: Login, curious: tuple[User, str, str]
) -> None:
    owner, experiment, run = curious
    login(page, owner.name)
    # As MLflow's client prints it: without a workspace.
    page.goto(f"/mlflow/#/experiments/{experiment}/runs/{run}")
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("curious.html").first.click()
    shown = page.frame_locator("iframe").locator("#said")
    expect(shown).to_have_text("no cookies")
