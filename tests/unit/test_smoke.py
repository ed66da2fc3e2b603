"""What a release tries in its image: what of it, in which order, and what is said of its end."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from notehive.models import graph, project
from notehive.models.project import Project
from notehive.models.smoke import own_tests, process, store
from notehive.models.smoke.clock import Clock
from notehive.models.smoke.order import is_tried, ordered
from notehive.models.smoke.trial import Trial
from notehive.models.step.failure import Failed
from notehive.models.step.job import Job
from notehive.models.step.log import Log

MODEL = """
name: churn
image: datascience
size: small
schema: schema.yml
pipelines:
  predict:
    after: train
    steps: [predict.ipynb, publish-table, drift]
  train:
    after: etl
    parameters: {rows: 1000, C: 1.0}
    smoke: {rows: 10}
    steps: [prepare.ipynb, validate, {run: fit.ipynb, needs: [prepare.ipynb]}, promote]
  report:
    steps: [report.ipynb, etl]
  etl:
    steps: [extract.ipynb]
promote: {metric: roc_auc, data: holdout.parquet, target: churned}
drift: {current: features.parquet}
predict: {output: predictions.parquet}
"""
OF_SERVICE = {
    "NOTEHIVE_GROUP": "lab",
    "NOTEHIVE_COMMIT": "c0ffee",
    "NOTEHIVE_IMAGE": "127.0.0.1:5000/models/lab/churn:c0ffee",
}


@pytest.fixture
def churn() -> Project:
    found, problems = project.parse(MODEL)
    assert found is not None, problems
    return found


def test_a_pipeline_is_tried_after_the_one_that_it_comes_after(churn: Project) -> None:
    assert ordered(churn.pipelines) == ["etl", "train", "predict", "report"]


def test_steps_that_ask_or_change_something_are_left_out(churn: Project) -> None:
    tried = {
        name: [task.run for task in graph.tasks(churn, name) if is_tried(task)]
        for name in churn.pipelines
    }
    assert tried == {
        "predict": ["predict.ipynb"],
        "train": ["prepare.ipynb", "validate", "fit.ipynb"],
        "report": ["report.ipynb"],
        "etl": ["extract.ipynb"],
    }


def test_a_step_is_told_what_a_job_is(
    churn: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the parameters of smoke as those of a run, which come over the pipeline's."""
    trial = Trial(churn, tmp_path, Clock(60), Log())
    [_, _, fit, _] = graph.tasks(churn, "train")
    job = Job.read({**OF_SERVICE, **trial.environment("train", fit)})
    assert (job.group, job.model, job.pipeline, job.step) == ("lab", "churn", "train", "fit")
    assert (job.run, job.attempt, job.run_dir) == ("smoke", 1, tmp_path / "train")
    assert job.parameters == {"rows": 10}
    assert job.data_interval_start is not None
    assert job.logical_date == job.data_interval_start < str(job.data_interval_end)


class Steps:
    """What stands in for the running of steps: keeps which, and fails one."""

    def __init__(self, failing: str = "") -> None:
        self.failing, self.ran = failing, list[str]()

    def run(self, name: str, work: Callable[[], None], clock: Clock, log: Log) -> str:
        self.ran.append(name)
        return f"{name}, cell 2: ValueError: no" if name == self.failing else ""


def test_what_is_said(
    churn: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(process, "run", Steps().run)
    Trial(churn, tmp_path, Clock(60), Log()).run()
    assert capsys.readouterr().out.splitlines() == [
        "etl / extract.ipynb",
        "train / prepare.ipynb",
        "train / validate",
        "train / fit.ipynb",
        "train: not tried here: promote",
        "predict / predict.ipynb",
        "predict: not tried here: publish-table, drift",
        "report / report.ipynb",
        "report: not tried here: etl",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(churn.pipelines)


def test_the_first_that_fails_ends_it(
    churn: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps(failing="prepare.ipynb")
    monkeypatch.setattr(process, "run", steps.run)
    with pytest.raises(Failed, match=r"^prepare\.ipynb, cell 2: ValueError: no$"):
        Trial(churn, tmp_path, Clock(60), Log()).run()
    assert steps.ran == ["extract.ipynb", "prepare.ipynb"]


def test_mlflow_is_a_folder() -> None:
    assert store.variables(Path("/tmp/x"), "churn") == {
        "MLFLOW_TRACKING_URI": "sqlite:////tmp/x/mlflow.db",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "/tmp/x/artifacts",
        "MLFLOW_EXPERIMENT_NAME": "churn",
    }


# A process of its own


def fail() -> None:
    raise Failed("prepare.ipynb, cell 2: ValueError: no")


def stumble() -> None:
    raise KeyError("age")


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    os._exit(0)


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (lambda: None, ""),
        (fail, "prepare.ipynb, cell 2: ValueError: no"),
        (stumble, "KeyError: 'age'"),
        (kill, "step.ipynb: its process ended with -9"),
        (leave, "step.ipynb: its process ended with 0"),
    ],
)
def test_how_a_step_ended(
    work: Callable[[], None], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of the machine that runs the tests, others' processes count too.
    monkeypatch.setattr("notehive.lab.cgroup.oom_kills", lambda: 0)
    assert process.run("step.ipynb", work, Clock(60), Log()) == why


def test_a_step_at_the_memory_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notehive.lab.cgroup.oom_kills", lambda: 1)
    monkeypatch.setattr("notehive.lab.cgroup.memory_limit", lambda: 2**30)
    said = process.run("step.ipynb", kill, Clock(60), Log())
    assert said == (
        "step.ipynb: the job's memory limit of 1.0 GB was reached; choose a larger size"
    )


def test_a_step_whose_time_is_over() -> None:
    """It can say where it was."""

    def work() -> None:
        try:
            time.sleep(1000)
        except KeyboardInterrupt as stop:
            raise Failed(f"step.ipynb, cell 7: {stop}") from None

    said = process.run("step.ipynb", work, Clock(0.5), Log())
    assert said.startswith("step.ipynb, cell 7: all notebooks and tests took longer than ")
    assert said.endswith("give them less to do with smoke: in model.yml")


def test_what_a_step_leaves_running_holds_nobody_up() -> None:
    """A process that a notebook has begun, and that has all that was open with it."""

    here, there = os.pipe()

    def work() -> None:
        if (child := os.fork()) == 0:
            time.sleep(1000)
        os.write(there, str(child).encode())
        raise Failed("gone")

    assert process.run("step.ipynb", work, Clock(2000), Log()) == "gone"
    child = int(os.read(here, 20))
    os.kill(child, signal.SIGKILL)  # it was there until now
    os.close(here)
    os.close(there)


# The project's own tests


@pytest.fixture
def tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory's tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("notehive.lab.cgroup.oom_kills", lambda: 0)
    (tmp_path / "tests").mkdir()
    (tmp_path / "model.py").write_text("answer = 42\n")
    return tmp_path / "tests"


def test_tests_that_pass(tests: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """They import the project's modules; and a file of no tests is no failure."""
    (tests / "data.py").write_text("rows = 1\n")
    own_tests.run(tests.parent / "report.xml", Clock(60), Log())
    (tests / "test_model.py").write_text(
        "import model\n\n\ndef test_answer():\n    assert model.answer == 42\n"
    )
    own_tests.run(tests.parent / "report.xml", Clock(60), Log())
    assert "1 passed" in capfd.readouterr().out
    assert not list(tests.parent.glob(".pytest_cache"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "import model\n\ndef test_a():\n    pass\n"
            "\ndef test_b():\n    assert model.answer == 7\n"
            "\ndef test_c():\n    assert False\n",
            "tests/test_model.py, test_b: assert 42 == 7",
        ),
        (
            "def test_a():\n    raise ValueError('no data\\nat all')\n",
            "tests/test_model.py, test_a: ValueError: no data",
        ),
        (
            "import nothing_like_that\n",
            "tests/test_model.py: ModuleNotFoundError: No module named 'nothing_like_that'",
        ),
        (
            "import os\n\ndef test_a():\n    os.kill(os.getpid(), 9)\n",
            "tests: pytest ended with -9",
        ),
    ],
)
def test_tests_that_fail(tests: Path, text: str, why: str) -> None:
    (tests / "test_model.py").write_text(text)
    with pytest.raises(Failed) as failed:
        own_tests.run(tests.parent / "report.xml", Clock(60), Log())
    assert str(failed.value) == why


def test_tests_that_take_too_long(tests: Path) -> None:
    (tests / "test_model.py").write_text("import time\ntime.sleep(1000)\n")
    with pytest.raises(Failed, match=r"^tests: all notebooks and tests took longer than "):
        own_tests.run(tests.parent / "report.xml", Clock(1), Log())


def test_no_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    own_tests.run(tmp_path / "report.xml", Clock(60), Log())
    assert capsys.readouterr().out == "tests: there are none\n"
