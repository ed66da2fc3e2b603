"""The examples on a real site: made in a server, released by a push, run by Airflow."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.support import factory
from tests.support.factory import Factory
from tests.support.hub import user
from tests.support.owner import Owner
from tests.support.site import Site

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def gina(with_airflow: Site) -> Iterator[Owner]:
    with user(with_airflow, "gina", "--group", factory.GROUP) as gina:
        gina.start(image="datascience", size="medium")
        yield Owner(with_airflow, gina)


@pytest.fixture
def model(gina: Owner, request: pytest.FixtureRequest) -> Iterator[Factory]:
    """A model from the example that the test is about, released."""
    model = Factory(gina, f"m-{uuid4().hex[:10]}")
    made = f"notehive model new {model.model} --group {factory.GROUP} --example {request.param}"
    gina.does(made)
    assert "remote: released: " in model.push()
    yield model
    factory.remove_images(model.model)


def run(model: Factory, pipeline: str, date: str | None = None) -> dict[str, str | None]:
    """Run a pipeline to its end, as for a date; give the state of each task."""
    run = model.run(pipeline, logical_date=date)
    model.ended(run, 300)
    states = model.states(run)
    for task, state in states.items():
        assert state != "failed", model.said(run, task)
    return states


@pytest.mark.parametrize("model", ["plant-drift"], indirect=True)
def test_a_model_is_trained_anew_when_its_input_drifts(model: Factory) -> None:
    for date, trained in (("05-20", "success"), ("05-28", "skipped"), ("06-20", "success")):
        states = run(model, "watch", f"2026-{date}T00:00:00+00:00")
        assert states == {"collect": "success", "drift": "success", "train": trained}, date
    versions = model.mlflow(f"registered-models/get?name={model.model}")["registered_model"]
    assert versions["latest_versions"][0]["version"] == "2"
    assert model.holder("champion") in ("1", "2"), "of data of other thermometers, either may win"


@pytest.mark.parametrize("model", ["credit-search"], indirect=True)
def test_each_trial_has_a_run_with_its_model(model: Factory) -> None:
    assert set(run(model, "train").values()) == {"success"}
    assert model.holder("champion") == "1"
    named = model.mlflow(f"experiments/get-by-name?experiment_name={model.model}")
    wanted = {"experiment_ids": [named["experiment"]["experiment_id"]], "max_results": 100}
    runs = model.mlflow("runs/search", wanted)["runs"]
    trials = [each for each in runs if each["info"]["run_name"].startswith("trial ")]
    assert len(trials) == 20
    assert all(each["outputs"]["model_outputs"] for each in trials)


@pytest.mark.parametrize("model", ["sales-monthly"], indirect=True)
def test_a_month_is_forecast_of_what_was_known_then(model: Factory) -> None:
    """Also of one that has passed; and each run has rows of its own in the table."""
    for date in ("2026-03-01T06:00:00+00:00", "2026-04-01T06:00:00+00:00"):
        assert set(run(model, "monthly", date).values()) == {"success"}
    table = f"{factory.GROUP}.{model.model.replace('-', '_')}"
    query = f"SELECT month, count(*) FROM {table} GROUP BY 1 ORDER BY 1"
    told = ("psql", "--tuples-only", "--no-align", "--command", query, "tables")
    assert model.site.exec("postgres", *told).splitlines() == ["2026-03|8", "2026-04|8"]
