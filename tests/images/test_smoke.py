"""What a release tries in its image: a whole project, without a network and within limits."""

from pathlib import Path

from notehive.models import new

from .containers import Containers, docker, until
from .jobs import Ended, notebook

MODEL = b"""
name: churn
image: base
size: small
pipelines: {train: {steps: [train.ipynb]}}
"""
COMMAND = ("python3", "-P", "-m", "notehive.models.smoke")
SERVER = ("python3", "-P", "-m", "notehive.models.smoke.server")


def smoke(
    containers: Containers,
    image: str,
    files: dict[str, bytes],
    *options: str,
    seconds: int = 600,
    command: tuple[str, ...] = COMMAND,
) -> Ended:
    """Try a project to the end."""
    told = {
        "NOTEHIVE_GROUP": "lab",
        "NOTEHIVE_COMMIT": "c0ffee",
        "NOTEHIVE_IMAGE": "127.0.0.1:5000/models/lab/churn:c0ffee",
        "NOTEHIVE_SMOKE_SECONDS": str(seconds),
    }
    env = (f"--env={name}={value}" for name, value in told.items())
    container = containers.create(
        image, *command, options=("--network=none", "--workdir=/opt/model", *env, *options)
    )
    for name, content in files.items():
        container.write(f"/opt/model/{name}", content)
    container.start()
    until(lambda: not container.running(), "its end", 300)
    code = docker("inspect", "--format", "{{.State.ExitCode}}", container.id)
    return Ended(int(code), container.logs())


def files_of(project: Path) -> dict[str, bytes]:
    """Give what is in the files of a project."""
    return {
        str(path.relative_to(project)): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file()
    }


def test_the_template_passes(datascience: str, containers: Containers, tmp_path: Path) -> None:
    """A version is registered, gets an alias, and is loaded by it: nothing of it needs a server."""
    new.make(tmp_path / "churn", "churn")
    files = files_of(tmp_path / "churn")
    ended = smoke(containers, datascience, files, "--memory=1g", "--memory-swap=1g", "--cpus=1")
    assert ended.code == 0, ended.log
    lines = ended.log.splitlines()
    at = [
        lines.index(line)
        for line in (
            "train / prepare.ipynb",
            "train / validate",
            "train.parquet: 225 rows are as schema.yml says",
            "train / train.ipynb",
            "version 1 of churn is the challenger",
            "train: not tried here: promote",
            "predict / predict.ipynb",
            "predict: not tried here: publish-table, drift, train",
            "tests",
        )
    ]
    assert at == sorted(at)
    assert "2 passed" in ended.log
    assert "alembic" not in ended.log, "nobody wants to know how an empty store is made"


def test_a_time_that_is_over(base: str, containers: Containers) -> None:
    slow = notebook("print('asleep')", "import time; time.sleep(1000)")
    ended = smoke(containers, base, {"model.yml": MODEL, "train.ipynb": slow}, seconds=18)
    assert (ended.code, ended.reason) == (
        1,
        "train.ipynb, cell 2: all notebooks and tests took longer than 0.3 minutes; "
        "give them less to do with smoke: in model.yml",
    )


def test_tests_at_the_memory_limit(base: str, containers: Containers) -> None:
    files = {
        "model.yml": MODEL,
        "train.ipynb": notebook("1"),
        "tests/test_a.py": b"def test_a():\n    assert len(bytes(1) * (1 << 30))\n",
    }
    ended = smoke(containers, base, files, "--memory=500m", "--memory-swap=500m")
    assert (ended.code, ended.reason) == (
        1,
        "tests: the job's memory limit of 0.5 GB was reached; choose a larger size",
    )


def test_no_project(base: str, containers: Containers) -> None:
    ended = smoke(containers, base, {})
    assert ended.code == 1
    assert ended.reason.startswith("model.yml: is missing")


def test_a_notebook_image(image: str, containers: Containers) -> None:
    ended = smoke(containers, image, {}, command=SERVER)
    assert ended.code == 0, ended.log
    lines = ended.log.splitlines()
    assert (lines[0], lines[-1]) == ("JupyterLab", "the kernel python3")


def test_a_notebook_image_whose_jupyterlab_does_not_start(
    base: str, containers: Containers
) -> None:
    """As if a package had brought what JupyterLab stumbles over."""
    files = {"jupyterlab.py": b"raise ImportError('no')\n"}
    ended = smoke(containers, base, files, "--env=PYTHONPATH=/opt/model", command=SERVER)
    assert (ended.code, ended.reason) == (
        1,
        "JupyterLab: ended at its start, with exit code 1",
    )
