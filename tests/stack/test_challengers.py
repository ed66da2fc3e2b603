"""Versions of a model that replace each other: by pushes, by runs, and because the data drift."""

from collections.abc import Iterator

import pytest

from tests.support import factory
from tests.support.factory import Factory, Run
from tests.support.hub import user
from tests.support.owner import Owner
from tests.support.projects import cell, notebook
from tests.support.site import Site

pytestmark = pytest.mark.long

MODEL = """\
name: {name}
image: datascience
size: small
pipelines:
  train:
    parameters: {{columns: [noise]}}
    steps: [train.ipynb, promote]
  watch:
    parameters: {{shift: 0.0}}
    steps:
      - collect.ipynb
      - {{run: drift, needs: [collect.ipynb]}}
      - {{run: train, needs: [drift], when: drifted}}
promote: {{metric: roc_auc, data: holdout.parquet, target: wanted}}
drift: {{current: features.parquet}}
"""
# What is wanted hangs on the signal alone.
DATA = """
import numpy as np
import pandas as pd


def load(seed, shift=0.0):
    random = np.random.default_rng(seed)
    signal, noise = random.normal(shift, 1, 300), random.normal(0, 1, 300)
    frame = pd.DataFrame({"signal": signal, "noise": noise})
    return frame.assign(wanted=(frame["signal"] + random.normal(0, 0.3, 300) > 0).astype(int))
"""
TRAIN = """
data, holdout = load(0), load(1)
holdout.to_parquet(f"{run_dir}/holdout.parquet")
model = LogisticRegression().fit(data[columns], data["wanted"])
with mlflow.start_run():
    keep_reference(data[["signal", "noise"]])
    kept = mlflow.sklearn.log_model(
        model,
        name="model",
        registered_model_name="{name}",
        signature=infer_signature(data[columns], data["wanted"]),
        pip_requirements=[],
    )
mlflow.MlflowClient().set_registered_model_alias(
    "{name}", "challenger", kept.registered_model_version
)
"""
IMPORTS = """
import mlflow
from data import load
from mlflow.models import infer_signature
from notehive.models.data import keep_reference
from sklearn.linear_model import LogisticRegression
"""
COLLECT = """
from data import load
load(2, shift)[["signal", "noise"]].to_parquet(f"{run_dir}/features.parquet")
"""


@pytest.fixture(scope="module")
def model(with_airflow: Site) -> Iterator[Factory]:
    """A model whose first version guesses; its run has made it champion."""
    with user(with_airflow, "cora", "--group", "lab") as cora:
        cora.start(image="base", size="small")
        model = factory.made(Owner(with_airflow, cora))
        model.release(
            {
                "model.yml": MODEL.format(name=model.model),
                "data.py": DATA,
                "train.ipynb": notebook(
                    cell("run_dir = 'run'\ncolumns = ['signal', 'noise']", "parameters"),
                    cell(IMPORTS.strip()),
                    cell(TRAIN.strip().replace("{name}", model.model)),
                ),
                "collect.ipynb": notebook(
                    cell("run_dir = 'run'\nshift = 0.0", "parameters"), cell(COLLECT.strip())
                ),
            }
        )
        run = model.run("train")
        assert model.ended(run) == "success", model.said(run, "train") + model.said(run, "promote")
        assert (model.holder("champion"), model.holder("challenger")) == ("1", "")
        yield model
        factory.remove_images(model.model)


def test_drift_trains_the_better_version_that_was_pushed(model: Factory) -> None:
    """It replaces the champion, which has no alias any more."""
    better = MODEL.format(name=model.model).replace("columns: [noise]", "columns: [signal, noise]")
    commit = model.release({"model.yml": better})
    model.dag("train", commit)
    run = model.run("watch", commit, shift=3.0)
    assert model.ended(run, 180) == "success"
    assert "\ndrifted: 1 of 2 columns: signal" in model.said(run, "drift")
    [report] = model.tracked(run, "drift")
    assert report["tags"]["notehive.drifted"] == "True"
    assert "signal" in model.page(report["id"], "drift.html")
    assert model.states(run)["train"] == "success"
    assert (model.holder("champion"), model.holder("challenger")) == ("2", "")
    trained = Run(f"/dags/lab.{model.model}.train/dagRuns/lab.{model.model}.watch__{run.id}")
    assert "version 2 is champion: roc_auc" in model.said(trained, "promote")


def test_a_worse_version_does_not_replace_it(model: Factory) -> None:
    """And keeps no alias; both sets of metrics are in the experiment of comparisons."""
    run = model.run("train", columns=["noise"])
    assert model.ended(run) == "success"
    assert "version 2 stays champion: version 3: roc_auc" in model.said(run, "promote")
    assert (model.holder("champion"), model.holder("challenger")) == ("2", "")
    name = f"{model.model}-comparisons"
    found = model.mlflow(f"experiments/get-by-name?experiment_name={name}")["experiment"]
    body = {"experiment_ids": [found["experiment_id"]], "order_by": ["start_time DESC"]}
    last = model.mlflow("runs/search", body)["runs"][0]["data"]
    metrics = {metric["key"]: metric["value"] for metric in last["metrics"]}
    assert metrics["champion_roc_auc"] > metrics["challenger_roc_auc"]
    model.nothing_is_left(run)
