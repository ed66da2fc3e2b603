"""Runs steps of a model as a site does: a container for each, beside a real MLflow."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .containers import DOCKER, Container, Containers, docker, until

MODEL = "churn"
# Outputs that are kept outside of a job: the folder of its run, and MLflow's files.
SERVE = (
    "mkdir -p /tmp/mlflow && cd /tmp/mlflow && exec mlflow server --host 127.0.0.1 --port 5000"
    " --workers 1 --backend-store-uri sqlite:////tmp/mlflow/mlflow.db"
)


def notebook(*cells: str, parameters: str = "", kernel: str = "python3") -> bytes:
    """A notebook of code cells, the first of them `parameters` if there are any."""
    sources = [parameters, *cells] if parameters else list(cells)
    code: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {"tags": ["parameters"]} if parameters and not number else {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": spec}, "cells": code}
    return json.dumps(whole).encode()


@dataclass
class Ended:
    """A job that has ended."""

    code: int
    log: str

    @property
    def reason(self) -> str:
        return self.log.splitlines()[-1]


@dataclass
class Workshop:
    """A group's model whose steps can be run; MLflow is in the container ``server``."""

    containers: Containers
    image: str
    files: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.volume = self.containers.volume()
        self.server = self.containers.run(
            self.image, "sh", "-c", SERVE, options=(f"--volume={self.volume}:/mnt/run",)
        )
        docker("exec", "--user", "root", self.server.id, "chown", "jovyan:users", "/mnt/run")
        until(self._answers, "MLflow answers", 120)

    def _answers(self) -> bool:
        assert self.server.running(), self.server.logs()
        curl = (DOCKER, "exec", self.server.id, "curl", "--silent", "http://127.0.0.1:5000/health")
        return subprocess.run(curl, capture_output=True).stdout == b"OK"

    def job(
        self,
        step: str,
        *options: str,
        pipeline: str = "train",
        run: str = "manual__1",
        attempt: int = 1,
        parameters: Mapping[str, Any] | None = None,
        command: tuple[str, ...] = ("python3", "-P", "-m", "notehive.models.step"),
        **variables: str,
    ) -> Container:
        """A job that is not started yet."""
        given = {
            "MLFLOW_TRACKING_URI": "http://127.0.0.1:5000",
            "NOTEHIVE_COMMIT": "c0ffee",
            "NOTEHIVE_DATA_INTERVAL_END": "2026-02-01T00:00:00+00:00",
            "NOTEHIVE_DATA_INTERVAL_START": "2026-01-01T00:00:00+00:00",
            "NOTEHIVE_GROUP": "lab",
            "NOTEHIVE_IMAGE": "127.0.0.1:5000/models/lab/churn@sha256:123",
            "NOTEHIVE_LOGICAL_DATE": "2026-01-01T00:00:00+00:00",
            "NOTEHIVE_MODEL": MODEL,
            "NOTEHIVE_PARAMETERS": json.dumps(dict(parameters or {})),
            "NOTEHIVE_PIPELINE": pipeline,
            "NOTEHIVE_RUN": run,
            "NOTEHIVE_RUN_DIR": "/mnt/run",
            "NOTEHIVE_STEP": step,
            "NOTEHIVE_TRY": str(attempt),
            **variables,
        }
        container = self.containers.create(
            self.image,
            *command,
            options=(
                f"--network=container:{self.server.id}",
                f"--volume={self.volume}:/mnt/run",
                "--workdir=/opt/model",
                *(f"--env={name}={value}" for name, value in given.items()),
                *options,
            ),
        )
        for name, content in self.files.items():
            container.write(f"/opt/model/{name}", content)
        return container

    def step(self, step: str, *options: str, **more: Any) -> Ended:
        """Run a step to its end."""
        job = self.job(step, *options, **more)
        job.start()
        return self.ended(job)

    def ended(self, job: Container) -> Ended:
        until(lambda: not job.running(), "the job ends", 240)
        code = int(docker("inspect", "--format", "{{.State.ExitCode}}", job.id))
        return Ended(code, job.logs())

    def mlflow(self, call: str, **body: Any) -> Any:
        """Ask MLflow's REST API; give its JSON."""
        method = ("--data", json.dumps(body), "--header", "Content-Type: application/json")
        answer = docker(
            "exec",
            self.server.id,
            "curl",
            "--silent",
            *(method if body else ()),
            f"http://127.0.0.1:5000/api/2.0/mlflow/{call}",
        )
        return json.loads(answer)

    def runs(self, experiment: str = MODEL) -> list[dict[str, Any]]:
        """The runs of an experiment, the oldest first: status, params, metrics, tags, id."""
        found = self.mlflow(f"experiments/get-by-name?experiment_name={experiment}")
        ids = [found["experiment"]["experiment_id"]]
        order = ["attributes.start_time ASC"]
        runs = self.mlflow("runs/search", experiment_ids=ids, order_by=order).get("runs", [])
        return [
            {
                "id": run["info"]["run_id"],
                "status": run["info"]["status"],
                **{
                    kind: {item["key"]: item["value"] for item in run["data"].get(kind, [])}
                    for kind in ("metrics", "params", "tags")
                },
            }
            for run in runs
        ]

    def artifacts(self, run: str) -> list[str]:
        listed = self.mlflow(f"artifacts/list?run_id={run}")
        return sorted(file["path"] for file in listed.get("files", []))

    def artifact(self, run: str, path: str) -> str:
        url = f"http://127.0.0.1:5000/get-artifact?run_uuid={run}&path={path}"
        return docker("exec", self.server.id, "curl", "--silent", "--fail", url)

    def kept(self, step: str) -> dict[str, Any]:
        """The executed notebook, as it is in the folder of the run."""
        found: dict[str, Any] = json.loads(self.server.sh(f"cat /mnt/run/notebooks/{step}.ipynb"))
        return found
