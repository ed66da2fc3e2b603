"""What Notehive is for, as one story: log in, choose, run a notebook, find its run, stop, leave."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import SECONDS, Login, MakeUser, screenshots_wanted
from tests.browser.lab import IDLE, choose, open_notebook, save, start_server
from tests.support.hub import User
from tests.support.site import ROOT, Site, changed, docker, wait_for

GIB = 1024**3
PICTURE = ROOT / "docs/images/lab.png"
PLOTS = ["confusion_matrix.png", "roc_curve.png"]


def test_workbench(
    site: Site, context: BrowserContext, page: Page, login: Login, make_user: MakeUser
) -> None:
    ada = make_user("ada")
    login(page, ada.name)

    page.goto("/hub/spawn")
    for text in ("Data science", "Base", "Small"):
        expect(page.get_by_role("radio", name=text)).to_be_visible()
    expect(page.locator("#spawn_form")).to_contain_text("1 CPU · 1 GB memory")
    expect(page.get_by_role("radio", name="Medium")).to_have_count(0)  # reserved for a group

    start_server(page, ada, "Data science", "Small")
    server_has_its_size(site, ada)
    panel = run_welcome(page)
    save(page)
    every_cell_succeeded(site, ada)
    if screenshots_wanted():
        take_picture(page, panel)
    its_run_is_in_mlflow(context, panel)

    stop_server(page, ada)
    page.get_by_role("button", name="Logout").click()
    page.wait_for_url("**/hub/log**")
    everything_asks_for_a_login(page, ada)


def server_has_its_size(site: Site, user: User) -> None:
    """The container is limited to what "Small" says in the tests' settings."""

    def read(command: str) -> list[str]:
        return docker("exec", site.container(user.service), "sh", "-c", command).split()

    base = "/sys/fs/cgroup"
    if read(f"test -e {base}/cgroup.controllers && echo v2 || echo v1") == ["v2"]:
        memory, quota, period, pids = read(f"cd {base}; cat memory.max cpu.max pids.max")
    else:
        memory, quota, period, pids = read(
            f"cd {base}; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us "
            "cpu/cpu.cfs_period_us pids/pids.max"
        )
    assert int(memory) == GIB
    assert int(quota) == int(period)  # one CPU
    assert int(pids) == 1024
    assert int(read("df --block-size=1 --output=size /dev/shm | tail -n 1")[0]) == GIB // 2


def run_welcome(page: Page) -> Locator:
    """A new home opens with the welcome notebook; all of its cells run from the menu."""
    panel = open_notebook(page, "Welcome.ipynb")
    choose(page, "Run", "Run All Cells")
    # The selection is on the last cell now, whose predecessor is the last to run.
    expect(panel.locator(".jp-CodeCell .jp-InputPrompt").last).to_have_text(
        re.compile(r"\[\d+\]:"), timeout=120 * SECONDS
    )
    expect(page.get_by_text(IDLE)).to_be_visible()
    return panel


def every_cell_succeeded(site: Site, user: User) -> None:
    """What Lab saves of the notebook has an execution count in each cell, and no error."""

    text = docker("exec", site.container(user.service), "cat", "Welcome.ipynb")
    cells: list[dict[str, Any]] = json.loads(text)["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert any("image/png" in output.get("data", {}) for output in outputs)


def take_picture(page: Page, panel: Locator) -> None:
    """Show the plots and the link to MLflow."""
    panel.get_by_text("View run").first.evaluate("line => line.scrollIntoView({block: 'start'})")
    expect(panel.locator(".jp-OutputArea-output img").first).to_be_visible()
    PICTURE.parent.mkdir(exist_ok=True)
    page.screenshot(path=PICTURE)


def its_run_is_in_mlflow(context: BrowserContext, panel: Locator) -> None:
    """The link that MLflow printed opens the run in a second tab."""
    link = panel.locator(".jp-OutputArea-output a").filter(has_text="/runs/")
    with context.expect_page() as opened:
        link.click()
    run = opened.value
    for text in ("roc_auc", "accuracy", "test_size", "random_state"):
        expect(run.get_by_text(text, exact=True).first).to_be_visible()
    expect(run.get_by_text("Logged models").first).to_be_visible()
    run.get_by_role("tab", name="Artifacts").click()
    for plot in PLOTS:
        expect(run.get_by_text(plot).first).to_be_visible()
    run.close()


def stop_server(page: Page, user: User) -> None:
    """Stopped on the hub's page, the server leaves nothing in the Swarm."""
    assert len(user.objects()) == 2  # a service and the secret with its token
    page.goto("/hub/home")
    expect(page.locator("#state")).to_have_text(re.compile(r"Running: Data science,\s+Small"))
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#state")).to_have_text("Not running. Your files are kept.")
    wait_for("the end of the server", lambda: not user.objects())


def everything_asks_for_a_login(page: Page, user: User) -> None:
    """Nothing is left to see, whichever way one comes."""
    page.go_back()
    page.wait_for_url("**/hub/login**")
    page.reload()
    page.wait_for_url("**/hub/login**")
    for path in ("/hub/home", "/mlflow/", f"/user/{user.name}/lab"):
        page.goto(path)
        page.wait_for_url("**/hub/login**")
        expect(page.get_by_label("Password")).to_be_visible()


@pytest.fixture
def without_mlflow(site: Site) -> Iterator[None]:
    """The site without MLflow, and with it again afterwards."""
    with changed(site, services={"mlflow": False, "airflow": False, "jenkins": "off"}):
        yield


@pytest.mark.long
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
