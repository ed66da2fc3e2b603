"""The steps of a pipeline as tasks."""

import pytest

from notehive.models.graph import Kind, cycle, needed, tasks
from notehive.models.project import Project, parse

TEXT = """\
name: churn
image: datascience
size: small
schema: schema.yml
drift: {current: features.parquet}
pipelines:
  train:
    retries: 2
    timeout: 2h
    size: large
    pool: night
    steps:
      - notebooks/prepare.ipynb
      - {run: train.ipynb, retries: 0, timeout: 90s, size: huge, pool: gpu}
  predict:
    steps:
      - {run: report.ipynb, needs: [drift, predict.ipynb]}
      - {run: predict.ipynb, needs: []}
      - drift
      - {run: train, when: drifted}
"""


@pytest.fixture
def project() -> Project:
    project, problems = parse(TEXT)
    assert project, problems
    return project


def test_a_step_needs_the_one_before_it(project: Project) -> None:
    assert [(task.name, task.needs) for task in tasks(project, "train")] == [
        ("prepare", ()),
        ("train", ("prepare",)),
    ]


def test_a_task_comes_after_what_it_needs(project: Project) -> None:
    found = {task.name: task for task in tasks(project, "predict")}
    assert list(found)[:2] == ["predict", "drift"]
    assert found["report"].needs == ("drift", "predict")
    assert found["drift"].needs == ("predict",)
    assert (found["train"].needs, found["train"].when) == (("drift",), "drifted")


def test_what_a_task_runs(project: Project) -> None:
    found = {task.name: (task.run, task.kind) for task in tasks(project, "predict")}
    assert found["predict"] == ("predict.ipynb", Kind.NOTEBOOK)
    assert found["drift"] == ("drift", Kind.BUILT_IN)
    assert found["train"] == ("train", Kind.PIPELINE)
    assert tasks(project, "train")[0].run == "notebooks/prepare.ipynb"


def test_a_step_says_more_than_its_pipeline_and_that_more_than_the_model(project: Project) -> None:
    prepare, train = tasks(project, "train")
    assert (prepare.size, prepare.retries, prepare.timeout, prepare.pool) == (
        *("large", 2, 7200, "night"),
    )
    assert (train.size, train.retries, train.timeout, train.pool) == ("huge", 0, 90, "gpu")
    plain = tasks(project, "predict")[0]
    assert (plain.size, plain.retries, plain.timeout, plain.pool) == ("small", 0, 0, "")


def test_all_that_a_step_needs(project: Project) -> None:
    steps = project.pipelines["predict"].steps
    assert needed(steps, "report.ipynb") == {"drift", "predict.ipynb"}
    assert needed(steps, "train") == {"drift", "predict.ipynb"}
    assert needed(steps, "predict.ipynb") == set()


def test_a_cycle_is_given_as_it_goes() -> None:
    assert cycle({"x": ["b"], "a": ["b"], "b": ["c"], "c": ["c2", "a"]}) == ["a", "b", "c", "a"]
    assert cycle({"a": ["a"]}) == ["a", "a"]
    assert cycle({"a": ["b", "unknown"], "b": []}) == []
