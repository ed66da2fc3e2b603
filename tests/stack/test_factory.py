"""The whole way of a model: from the first push to its runs in Airflow and its champion."""

import json
import shlex
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.support.airflow import Asker
from tests.support.factory import remove_images
from tests.support.hub import user
from tests.support.owner import Owner
from tests.support.site import Site, fetch, wait_for

OWN = """
from airflow.sdk import DAG, task
with DAG("{name}", schedule=None, is_paused_upon_creation=False):
    @task
    def greet():
        print("hello")
    greet()
"""


@pytest.fixture(scope="module")
def gina(with_airflow: Site) -> Iterator[Owner]:
    with user(with_airflow, "gina", "--group", "lab") as gina:
        gina.start(image="datascience", size="medium")
        yield Owner(with_airflow, gina)


@pytest.fixture(scope="module")
def airflow(gina: Owner) -> Asker:
    return Asker(gina.site, gina.user.token)


@pytest.fixture(scope="module")
def model(gina: Owner) -> Iterator[str]:
    """A model from the template, released."""
    name = f"m-{uuid4().hex[:10]}"
    gina.does(f"notehive model new {name} --group lab")
    said = gina.does("git push origin main", at=name)
    assert "remote: publish ..." in said
    assert "remote: released: " in said
    yield name
    remove_images(name)


def dag(airflow: Asker, model: str, pipeline: str) -> str:
    """Wait until a pipeline of a model can be run; give its DAG's name."""
    name = f"lab.{model}.{pipeline}"
    wait_for(f"the DAG {name}", lambda: airflow.ask("GET", f"/dags/{name}").status == 200, 120)
    return name


def log(airflow: Asker, run: str, task: str) -> str:
    """Give what the page of a task's first try says."""
    return airflow.ask("GET", f"{run}/taskInstances/{task}/logs/1?full_content=true").body.decode()


def asked_of_mlflow(gina: Owner, path: str) -> Any:
    headers = {"Authorization": f"Bearer {gina.user.token}", "X-MLFLOW-WORKSPACE": "lab"}
    answer = fetch(gina.site, f"/mlflow/api/2.0/mlflow/{path}", headers=headers)
    assert answer.status == 200, (path, answer)
    return json.loads(answer.body)


def nothing_is_left(site: Site) -> None:
    wait_for("the end", lambda: not (site.of_kind("job") or site.of_kind("job-token")))


def test_what_is_pushed_is_what_runs(gina: Owner, airflow: Asker, model: str) -> None:
    run = airflow.run(dag(airflow, model, "train"))
    ended = airflow.ended(run)
    logs = {task: log(airflow, run, task) for task in ("prepare", "validate", "train", "promote")}
    assert ended == "success", logs
    (told,) = json.loads(gina.does("notehive model status --json", at=model))
    assert all(told["image"] in said and told["commit"] in said for said in logs.values())
    assert "cell 4 of 4: " in logs["prepare"]
    assert "executed notebook: " in logs["train"]

    alias = f"registered-models/alias?name={model}&alias=champion"
    champion = asked_of_mlflow(gina, alias)["model_version"]
    tags = asked_of_mlflow(gina, f"runs/get?run_id={champion['run_id']}")["run"]["data"]["tags"]
    said = {tag["key"]: tag["value"] for tag in tags}
    assert said["mlflow.source.git.commit"] == told["commit"]
    assert said["notehive.image"] == told["image"]
    assert said["mlflow.user"] == "job:lab"
    nothing_is_left(gina.site)


def test_the_champion_predicts(gina: Owner, airflow: Asker, model: str) -> None:
    """The predictions are a table; without drift, nothing is trained anew."""
    run = airflow.run(dag(airflow, model, "predict"), rows=200)
    ended = airflow.ended(run)
    tasks = airflow.told(f"{run}/taskInstances")["task_instances"]
    states = {task["task_id"]: task["state"] for task in tasks}
    said = {name: log(airflow, run, name) for name in ("predict", "publish-table", "drift")}
    assert ended == "success", said
    assert states == {
        "predict": "success",
        "publish-table": "success",
        "drift": "success",
        "train": "skipped",
    }, said
    query = f"SELECT count(*), min(model_version) FROM lab.{model.replace('-', '_')}"
    told = ("psql", "--tuples-only", "--no-align", "--command", query, "tables")
    assert gina.site.exec("postgres", *told) == "200|1"
    nothing_is_left(gina.site)


def test_a_run_by_hand_takes_other_parameters(gina: Owner, airflow: Asker, model: str) -> None:
    """And a failing notebook is named in the log, with its cell."""
    run = airflow.run(dag(airflow, model, "train"), test_size=7.5)
    assert airflow.ended(run) == "failed"
    said = log(airflow, run, "prepare")
    assert "prepare.ipynb, cell 4: " in said
    assert "Got 7.5" in said
    nothing_is_left(gina.site)


def test_a_dag_of_its_own(gina: Owner, airflow: Asker, model: str) -> None:
    """And one that says it is another group's is not taken."""
    for group in ("lab", "guild"):
        text = OWN.format(name=f"{group}.{model}.own")
        gina.does(f"mkdir -p dags && printf %s {shlex.quote(text)} > dags/{group}.py", at=model)
    gina.does("git add dags && git commit -qm Own", at=model)
    assert "remote: released: " in gina.does("git push origin main", at=model)
    assert airflow.ended(airflow.run(dag(airflow, model, "own"))) == "success"
    # It fails where there are any.
    listing = "/opt/notehive/airflow/start airflow dags list-import-errors --output json || true"
    said = gina.site.exec("airflow-processor", "sh", "-c", listing)
    assert f"guild.{model}.own: the name of a DAG of lab/{model} begins with lab.{model}." in said


def test_a_release_that_fails_changes_nothing(gina: Owner, airflow: Asker, model: str) -> None:
    name = dag(airflow, model, "train")
    gina.does("sed -i 's/size: small/size: huge/' model.yml && git commit -qam Huge", at=model)
    assert "not released: " in gina.does("git push origin main", at=model)
    told = json.loads(gina.does("notehive model status --json", at=model))
    assert [each["state"] for each in told] == ["failed", "released", "released"]
    current = gina.site.exec("api", "readlink", f"/srv/models/lab/{model}/current")
    assert current == f"releases/{told[1]['commit']}"

    def runs_the_released() -> bool:
        return told[1]["commit"] in airflow.told(f"/dags/{name}/details")["doc_md"]

    wait_for("what is released in Airflow", runs_the_released, 120)
