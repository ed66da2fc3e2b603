"""The examples on a real site: made in a server, released by a push, run by Airflow."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.support.airflow import Asker
from tests.support.hub import user
from tests.support.owner import Owner
from tests.support.site import Site, docker, fetch, wait_for

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def gina(with_airflow: Site) -> Iterator[Owner]:
    with user(with_airflow, "gina", "--group", "lab") as gina:
        gina.start(image="datascience", size="medium")
        yield Owner(with_airflow, gina)


@pytest.fixture
def airflow(gina: Owner) -> Asker:
    return Asker(gina.site, gina.user.token)


@pytest.fixture
def model(gina: Owner, request: pytest.FixtureRequest) -> Iterator[str]:
    """A model from the example that the test is about, released."""
    name = f"m-{uuid4().hex[:10]}"
    gina.does(f"notehive model new {name} --group lab --example {request.param}")
    assert "remote: released: " in gina.does("git push origin main", at=name)
    yield name
    for image in docker("images", "--quiet", "--filter", f"label=notehive.model={name}").split():
        docker("rmi", "--force", image, check=False)


def run(airflow: Asker, dag: str, date: str | None = None) -> dict[str, str]:
    """Run a pipeline to its end, as for a date; give the state of each task."""
    wait_for(f"the DAG {dag}", lambda: airflow.ask("GET", f"/dags/{dag}").status == 200, 120)
    answer = airflow.ask("POST", f"/dags/{dag}/dagRuns", {"logical_date": date})
    assert answer.status == 200, answer
    path = f"/dags/{dag}/dagRuns/{json.loads(answer.body)['dag_run_id']}"
    wait_for(
        f"the end of {path}", lambda: airflow.told(path)["state"] in ("success", "failed"), 300
    )
    tasks = airflow.told(f"{path}/taskInstances")["task_instances"]
    states = {task["task_id"]: task["state"] for task in tasks}
    for task, state in states.items():
        log = airflow.ask("GET", f"{path}/taskInstances/{task}/logs/1?full_content=true").body
        assert state != "failed", log.decode()
    return states


def mlflow(gina: Owner, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {gina.user.token}", "X-MLFLOW-WORKSPACE": "lab"}
    headers["Content-Type"] = "application/json"
    answer = fetch(
        gina.site,
        f"/mlflow/api/2.0/mlflow/{path}",
        method="POST" if body else "GET",
        headers=headers,
        body=json.dumps(body).encode() if body else None,
    )
    assert answer.status == 200, (path, answer)
    return json.loads(answer.body)


def champion(gina: Owner, model: str) -> str:
    alias = f"registered-models/alias?name={model}&alias=champion"
    return str(mlflow(gina, alias)["model_version"]["version"])


@pytest.mark.parametrize("model", ["plant-drift"], indirect=True)
def test_a_model_is_trained_anew_when_its_input_drifts(
    gina: Owner, airflow: Asker, model: str
) -> None:
    watch = f"lab.{model}.watch"
    for date, trained in (("05-20", "success"), ("05-28", "skipped"), ("06-20", "success")):
        states = run(airflow, watch, f"2026-{date}T00:00:00+00:00")
        assert states == {"collect": "success", "drift": "success", "train": trained}, date
    versions = mlflow(gina, f"registered-models/get?name={model}")["registered_model"]
    assert versions["latest_versions"][0]["version"] == "2"
    assert champion(gina, model) in ("1", "2"), "of data of other thermometers, either may win"


@pytest.mark.parametrize("model", ["credit-search"], indirect=True)
def test_each_trial_has_a_run_with_its_model(gina: Owner, airflow: Asker, model: str) -> None:
    assert set(run(airflow, f"lab.{model}.train").values()) == {"success"}
    assert champion(gina, model) == "1"
    (experiment,) = mlflow(
        gina, "experiments/search", {"max_results": 9, "filter": f"name = '{model}'"}
    )["experiments"]
    wanted = {"experiment_ids": [experiment["experiment_id"]], "max_results": 100}
    runs = mlflow(gina, "runs/search", wanted)["runs"]
    trials = [each for each in runs if each["info"]["run_name"].startswith("trial ")]
    assert len(trials) == 20
    assert all(each["outputs"]["model_outputs"] for each in trials)


@pytest.mark.parametrize("model", ["sales-monthly"], indirect=True)
def test_a_month_is_forecast_of_what_was_known_then(
    gina: Owner, airflow: Asker, model: str
) -> None:
    """Also of one that has passed; and each run has rows of its own in the table."""
    for date in ("2026-03-01T06:00:00+00:00", "2026-04-01T06:00:00+00:00"):
        assert set(run(airflow, f"lab.{model}.monthly", date).values()) == {"success"}
    query = f"SELECT month, count(*) FROM lab.{model.replace('-', '_')} GROUP BY 1 ORDER BY 1"
    told = ("psql", "--tuples-only", "--no-align", "--command", query, "tables")
    assert gina.site.exec("postgres", *told).splitlines() == ["2026-03|8", "2026-04|8"]
