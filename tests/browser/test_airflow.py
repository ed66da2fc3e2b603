"""Airflow's page, with the one login: each sees their own groups' DAGs, runs and logs."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Login, MakeUser, fill_login
from tests.browser.test_rights import log_out
from tests.support.airflow import PIPELINE, Asker
from tests.support.site import wait_for

OWN, OTHERS = f"lab.{PIPELINE}", f"guild.{PIPELINE}"


pytestmark = pytest.mark.usefixtures("with_airflow")


def test_a_run_from_its_start_to_its_log(page: Page, login: Login, make_user: MakeUser) -> None:
    anna = make_user("anna", "--group", "lab")
    asker = Asker(anna.site, anna.token)
    wait_for("the DAG", lambda: asker.ask("GET", f"/dags/{OWN}").status == 200, 120)
    login(page, anna.name)
    page.goto("/hub/home")
    page.get_by_role("link", name="Airflow").click()
    page.goto("/airflow/dags")
    expect(page.get_by_role("link", name=OWN)).to_be_visible()

    page.goto(f"/airflow/dags/{OWN}")
    page.get_by_role("button", name="Trigger").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Trigger").click()

    def hers() -> list[str]:
        runs = asker.told(f"/dags/{OWN}/dagRuns?order_by=-run_after")["dag_runs"]
        return [r["dag_run_id"] for r in runs if r["triggering_user_name"] == anna.name]

    run = wait_for("a run of hers", hers)[0]
    assert asker.ended(f"/dags/{OWN}/dagRuns/{run}") == "success"
    page.goto(f"/airflow/dags/{OWN}/runs/{run}/tasks/prepare")
    expect(page.get_by_text("SECRET-OF-lab").first).to_be_visible()


def test_one_after_another(page: Page, login: Login, make_user: MakeUser) -> None:
    anna, bert = make_user("anna", "--group", "lab"), make_user("bert", "--group", "guild")
    login(page, anna.name)
    page.goto("/airflow/dags")
    expect(page.get_by_role("link", name=OWN)).to_be_visible()

    # Whoever logs in next is where they wanted to go, as themselves.
    log_out(page)
    page.goto(f"/airflow/dags/{OTHERS}")
    expect(page.get_by_label("Password")).to_be_visible()
    fill_login(page, bert.name)
    page.wait_for_url(f"**/airflow/dags/{OTHERS}")
    page.goto("/airflow/dags")
    expect(page.get_by_role("link", name=OTHERS)).to_be_visible()
    expect(page.get_by_role("link", name=OWN)).to_have_count(0)
