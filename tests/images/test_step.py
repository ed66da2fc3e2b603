"""A notebook as a step of a pipeline: its log, its exit code, its run in MLflow, what is kept."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import built
from .containers import Containers, docker, until
from .jobs import MODEL, Workshop, notebook

MODEL_YML = b"""
name: churn
image: datascience
size: small
pipelines:
  train:
    parameters: {strength: 0.5}
    steps: [train.ipynb]
  quiet:
    tracking: false
    steps: [train.ipynb]
"""
PARAMETERS = "strength = 1.0\nrounds: int = 3\nname = 'none'"
TRAIN = """
import mlflow
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
mlflow.autolog(log_models=False)
x, y = load_iris(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=1)
"""
FIT = "model = LogisticRegression(C=strength, max_iter=500).fit(x_train, y_train)"
MEASURE = "mlflow.log_metric('accuracy', model.score(x_test, y_test))"


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    made = Containers()
    try:
        yield Workshop(made, built("notebooks-datascience"), {"model.yml": MODEL_YML})
    finally:
        made.remove()


@pytest.fixture
def shop(workshop: Workshop) -> Workshop:
    """The workshop, with no runs that another test has left."""
    for run in workshop.runs() if has_experiment(workshop) else []:
        workshop.mlflow("runs/delete", run_id=run["id"])
    return workshop


def has_experiment(workshop: Workshop) -> bool:
    found = workshop.mlflow(f"experiments/get-by-name?experiment_name={MODEL}")
    return "experiment" in found


def sources(kept: dict[str, Any]) -> list[str]:
    return ["".join(cell["source"]) for cell in kept["cells"]]


def errors(kept: dict[str, Any]) -> list[str]:
    return [
        output["ename"]
        for cell in kept["cells"]
        for output in cell.get("outputs", [])
        if output["output_type"] == "error"
    ]


def test_a_notebook_is_run_and_kept(shop: Workshop) -> None:
    cells = ("print('hello', strength, rounds)", "print(run_dir, logical_date)", "6 * 7")
    shop.files["train.ipynb"] = notebook(*cells, parameters=PARAMETERS)
    ended = shop.step("train", parameters={"rounds": 5})
    assert ended.code == 0, ended.log
    lines = ended.log.splitlines()
    assert re.findall(r"^cell (\d) of 4: \d+\.\d s$", ended.log, re.MULTILINE) == [*"1234"]
    assert lines.index("hello 0.5 5") < lines.index("/mnt/run 2026-01-01T00:00:00+00:00")
    assert "42" in lines

    kept = shop.kept("train")
    assert "rounds = 5" in sources(kept)[1]
    assert [cell["execution_count"] for cell in kept["cells"]] == [1, None, 2, 3, 4]
    assert kept["metadata"]["papermill"]["exception"] is None

    [run] = shop.runs()
    assert run["status"] == "FINISHED"
    assert run["params"] == {"strength": "0.5", "rounds": "5"}
    expected = {
        "mlflow.runName": "train train",
        "mlflow.source.git.commit": "c0ffee",
        "notehive.image": "127.0.0.1:5000/models/lab/churn@sha256:123",
        "notehive.pipeline": "train",
        "notehive.run": "manual__1",
        "notehive.step": "train",
        "notehive.try": "1",
    }
    assert expected.items() <= run["tags"].items()
    assert shop.artifacts(run["id"]) == ["train.html", "train.ipynb"]
    assert json.loads(shop.artifact(run["id"], "train.ipynb")) == kept
    assert f"/runs/{run['id']}/artifacts/train.html" in lines[-1]


def test_the_page_needs_nothing_else(shop: Workshop) -> None:
    shop.files["train.ipynb"] = notebook("print('a' + 'b' * 3)")
    assert shop.step("train").code == 0
    page = shop.artifact(shop.runs()[0]["id"], "train.html")
    assert "abbb" in page
    assert "<script src" not in page


def test_what_a_notebook_logs_is_in_the_steps_run(shop: Workshop) -> None:
    cells = (TRAIN, FIT, MEASURE, "mlflow.log_param('strength', 7)", "mlflow.last_active_run()")
    shop.files["train.ipynb"] = notebook(*cells, parameters=PARAMETERS)
    ended = shop.step("train")
    assert ended.code == 0, ended.log
    [run] = shop.runs()
    assert run["status"] == "FINISHED"
    assert run["metrics"]["accuracy"] > 0.9
    assert {"accuracy", "training_score"} <= run["metrics"].keys(), "autolog's"
    assert run["params"]["strength"] == "7", "what the notebook says comes first"


def test_a_run_that_the_notebook_opens_is_that_of_the_step(shop: Workshop) -> None:
    cells = (
        "import mlflow",
        "with mlflow.start_run():\n    mlflow.log_metric('a', 1)\n"
        "    with mlflow.start_run(nested=True):\n        mlflow.log_metric('b', 2)",
        "with mlflow.start_run():\n    mlflow.log_metric('c', 3)",
    )
    shop.files["train.ipynb"] = notebook(*cells)
    ended = shop.step("train")
    assert ended.code == 0, ended.log
    step, nested, other = shop.runs()
    assert (other["metrics"], other["status"]) == ({"c": 3}, "FINISHED")
    assert other["tags"]["mlflow.parentRunId"] == step["id"]
    assert (step["metrics"], nested["metrics"]) == ({"a": 1}, {"b": 2})
    assert nested["tags"]["mlflow.parentRunId"] == step["id"]
    assert (step["status"], nested["status"]) == ("FINISHED", "FINISHED")


def test_a_failing_cell(shop: Workshop) -> None:
    shop.files["train.ipynb"] = notebook(
        "import mlflow\nmlflow.log_metric('a', 1)", "raise ValueError('no data\\nat all')", "1"
    )
    ended = shop.step("train")
    assert (ended.code, ended.reason) == (1, "train.ipynb, cell 2: ValueError: no data")
    assert "Traceback (most recent call last)" in ended.log
    assert errors(shop.kept("train")) == ["ValueError"]
    assert "papermill-error-cell" in "".join(sources(shop.kept("train")))
    [run] = shop.runs()
    assert run["status"] == "FAILED"
    assert shop.artifacts(run["id"]) == ["train.html", "train.ipynb"]


def test_a_step_that_is_told_to_end(shop: Workshop) -> None:
    shop.files["train.ipynb"] = notebook("1", "import time\nprint('asleep')\ntime.sleep(600)", "2")
    job = shop.job("train")
    job.start()
    until(lambda: "asleep" in job.logs(), "the second cell runs", 120)
    docker("stop", "--time=60", job.id)
    ended = shop.ended(job)
    assert (ended.code, ended.reason) == (1, "train.ipynb, cell 2: the step was told to end")
    assert errors(shop.kept("train")) == ["Stopped"]
    [run] = shop.runs()
    assert run["status"] == "KILLED"
    assert "train.ipynb" in shop.artifacts(run["id"])


def test_a_kernel_at_the_memory_limit(shop: Workshop) -> None:
    shop.files["train.ipynb"] = notebook("print('hungry')", "food = [0] * (1 << 28)")
    ended = shop.step("train", "--memory=500m", "--memory-swap=500m")
    assert ended.code == 1
    assert ended.reason == (
        "train.ipynb, cell 2: KernelDied: the job's memory limit of 0.5 GB was reached; "
        "choose a larger size"
    )
    assert errors(shop.kept("train")) == ["KernelDied"]
    [run] = shop.runs()
    assert run["status"] == "FAILED"


def test_a_kernel_that_ends_by_itself(shop: Workshop) -> None:
    shop.files["train.ipynb"] = notebook("import os\nos._exit(3)")
    ended = shop.step("train")
    assert ended.code == 1
    assert ended.reason == "train.ipynb, cell 1: KernelDied: the kernel ended with exit code 3"
    assert shop.runs()[0]["status"] == "FAILED"


def test_a_large_output(shop: Workshop) -> None:
    line = "print('x' * 99)"
    shop.files["train.ipynb"] = notebook(f"for _ in range(2_000_000):\n    {line}", "print('done')")
    ended = shop.step("train")
    assert ended.code == 0, ended.log[-2000:]
    assert len(ended.log) < 3 << 20
    assert "[189.7 MB more of this cell's output are not kept]" in ended.log
    assert len(json.dumps(shop.kept("train"))) < 3 << 20
    assert shop.runs()[0]["status"] == "FINISHED"


def test_a_parameter_of_another_type(shop: Workshop) -> None:
    shop.files["train.ipynb"] = notebook("1", parameters=PARAMETERS)
    ended = shop.step("train", parameters={"rounds": "many"})
    assert (ended.code, ended.reason) == (1, 'train.ipynb, parameter rounds: "many" is no int')
    assert shop.runs()[0]["status"] == "FAILED"


def test_a_kernel_that_is_not_there(shop: Workshop) -> None:
    shop.files["train.ipynb"] = notebook("1", kernel="julia")
    ended = shop.step("train")
    assert (ended.code, ended.reason) == (1, "train.ipynb, kernel julia: is not in the image")


def test_without_tracking(shop: Workshop) -> None:
    shop.files["train.ipynb"] = notebook(
        "print('done')", "import os\n'MLFLOW_RUN_ID' in os.environ"
    )
    command = ("python3", "-P", "-X", "importtime", "-m", "notehive.models.step")
    nowhere = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    ended = shop.step("train", pipeline="quiet", command=command, **nowhere)
    assert ended.code == 0, ended.log
    imported = [line.rpartition("|")[2].strip() for line in ended.log.splitlines() if "|" in line]
    assert "papermill" in imported
    assert not [name for name in imported if "mlflow" in name]
    assert "False" in ended.log.splitlines()
    assert shop.kept("train")["metadata"]["papermill"]["exception"] is None


def test_a_second_try_leaves_one_run_that_counts(shop: Workshop) -> None:
    shop.files["train.ipynb"] = notebook("print('awake')\nimport time\ntime.sleep(600)")
    job = shop.job("train")
    job.start()
    until(lambda: "awake" in job.logs(), "the cell runs", 120)
    docker("kill", job.id)
    assert shop.runs()[0]["status"] == "RUNNING"

    shop.files["train.ipynb"] = notebook("1")
    assert shop.step("train", attempt=2).code == 0
    first, second = shop.runs()
    assert (first["status"], second["status"]) == ("KILLED", "FINISHED")
    assert first["tags"]["notehive.superseded_by_try"] == "2"
    assert "notehive.superseded_by_try" not in second["tags"]


def test_an_mlflow_that_is_not_there_is_named(shop: Workshop) -> None:
    shop.files["train.ipynb"] = notebook("1")
    refusing = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5000/nothing"}
    ended = shop.step("train", **refusing)
    assert ended.code == 1
    assert ended.reason.startswith("MLflow, experiment churn: 404 "), ended.reason


def test_lab_and_batch_agree(shop: Workshop) -> None:
    """The cells, one after the other in a kernel that JupyterLab has started."""
    fit = f"with mlflow.start_run():\n    {FIT}\n    {MEASURE}"
    cells = (PARAMETERS, TRAIN, fit)
    shop.files["train.ipynb"] = notebook(*cells[1:], parameters=PARAMETERS)
    assert shop.step("train", parameters={"strength": 1.0}).code == 0
    [batch] = shop.runs()

    network = f"--network=container:{shop.server.id}"
    lab = shop.containers.lab(
        shop.image, network, "--env=MLFLOW_TRACKING_URI=http://127.0.0.1:5000"
    )
    status, answer = lab.get("/api/kernels?token=test", "--request", "POST")
    assert status == 201, answer
    lab.python(
        f"""
from jupyter_client import BlockingKernelClient
client = BlockingKernelClient()
client.load_connection_file("/run/jupyter/kernel-{json.loads(answer)["id"]}.json")
client.start_channels()
client.wait_for_ready(timeout=60)
for cell in {cells!r}:
    reply = client.execute_interactive(cell, timeout=120)["content"]
    assert reply["status"] == "ok", reply
"""
    )
    [by_hand] = shop.runs("Default")
    assert by_hand["metrics"] == batch["metrics"]
    assert by_hand["metrics"]["accuracy"] > 0.9
