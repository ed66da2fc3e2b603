"""A run in MLflow, opened and closed over its REST API."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from notehive.models.rest import Mlflow, Refused
from notehive.models.step import notes
from notehive.models.step.failure import Failed
from notehive.models.step.job import Job
from notehive.models.step.tracking import RUN_ID

LONGEST = 6000  # characters of a parameter's value that MLflow takes
MOST = 100  # parameters in one call


class Opened(NamedTuple):
    """A run as MLflow knows it."""

    id: str
    experiment: str
    artifacts: str  # the address of the place of its files


class Tracked:
    """A run that is being opened while the step does something else."""

    keeps = True

    def __init__(self, job: Job, source: str) -> None:
        self._job, self._source = job, source
        self._mlflow = Mlflow.of_environment()
        pool = ThreadPoolExecutor(1)
        self._opened = pool.submit(self._open)
        pool.shutdown(wait=False)

    def variables(self) -> dict[str, str]:
        """Give the variables with which MLflow's client logs to this very run.

        It resumes the run of the variable once. Runs that are opened after that are its children.
        """
        run = self._run()
        child = {"mlflow.parentRunId": run.id, "notehive.run": self._job.run}
        return {
            "MLFLOW_EXPERIMENT_NAME": self._job.model,
            RUN_ID: run.id,
            "MLFLOW_RUN_CONTEXT": json.dumps(child),
        }

    def link(self, file: str) -> str:
        """Give the address of the page that shows a file of the run."""
        run, query = self._run(), urlencode({"workspace": self._mlflow.workspace or "default"})
        place = f"experiments/{run.experiment}/runs/{run.id}/artifacts/{file}"
        return f"{self._mlflow.uri}/#/{place}?{query}"

    def end(self, status: str, files: Sequence[Path], parameters: Mapping[str, Any]) -> None:
        """Keep files and parameters with the run, and close it: FINISHED, FAILED or KILLED.

        The parameters come last, since the notebook may log one of the same name itself, such as
        the better value that a search has found. Then that one stays.
        """
        run = self._run()
        try:
            for file in files:
                self._mlflow.put(run.artifacts, file)
            known = self._mlflow.get("runs/get", run_id=run.id)["run"]["data"].get("params", [])
            missing = parameters.keys() - {param["key"] for param in known}
            params = [{"key": key, "value": str(parameters[key])[:LONGEST]} for key in missing]
            seen = notes.read(self._job.run_dir, notes.DATA)
            versions = ", ".join(f"{name} {version}" for name, version in sorted(seen.items()))
            tags = _pairs({"notehive.data_version": versions} if seen else {})
            for start in range(0, len(params) or 1, MOST):
                batch = params[start : start + MOST]
                self._mlflow.post("runs/log-batch", run_id=run.id, params=batch, tags=tags)
        except Refused as error:
            raise Failed(f"MLflow, run {run.id}: {error}") from None
        finally:
            self._close(run.id, status)

    def _run(self) -> Opened:
        try:
            return self._opened.result()
        except Refused as error:
            raise Failed(f"MLflow, experiment {self._job.model}: {error}") from None

    def _open(self) -> Opened:
        experiment = self._experiment()
        if self._job.attempt > 1:
            self._close_earlier(experiment)
        job = self._job
        tags = {
            "mlflow.source.name": self._source,
            "mlflow.source.type": "JOB",
            "mlflow.source.git.commit": job.commit,
            "mlflow.user": os.environ.get("JUPYTERHUB_USER") or f"job:{job.group}",
            "notehive.image": job.image,
            "notehive.logical_date": job.logical_date or "",
            "notehive.pipeline": job.pipeline,
            "notehive.run": job.run,
            "notehive.step": job.step,
            "notehive.try": str(job.attempt),
        }
        made = self._mlflow.post(
            "runs/create",
            experiment_id=experiment,
            start_time=_now(),
            run_name=f"{job.pipeline} {job.step}",
            tags=_pairs(tags),
        )["run"]["info"]
        return Opened(made["run_id"], experiment, made["artifact_uri"])

    def _experiment(self) -> str:
        name = self._job.model
        try:
            found = self._mlflow.get("experiments/get-by-name", experiment_name=name)
        except Refused as error:
            if error.code != "RESOURCE_DOES_NOT_EXIST":
                raise
            try:
                return str(self._mlflow.post("experiments/create", name=name)["experiment_id"])
            except Refused as late:
                if late.code != "RESOURCE_ALREADY_EXISTS":  # another step has just made it
                    raise
                found = self._mlflow.get("experiments/get-by-name", experiment_name=name)
        if found["experiment"]["lifecycle_stage"] != "active":
            raise Failed(f"MLflow, experiment {name}: was deleted; restore it, or rename it there")
        return str(found["experiment"]["experiment_id"])

    def _close_earlier(self, experiment: str) -> None:
        """Mark the runs of earlier tries of this step; close those that were killed too fast."""
        job = self._job
        wanted = {"run": job.run, "pipeline": job.pipeline, "step": job.step}
        query = " AND ".join(f"tags.notehive.{key} = {_quoted(wanted[key])}" for key in wanted)
        found = self._mlflow.post(
            "runs/search", experiment_ids=[experiment], filter=query, max_results=MOST
        )
        for run in found.get("runs", []):
            info = run["info"]
            tags = _pairs({"notehive.superseded_by_try": str(job.attempt)})
            self._mlflow.post("runs/log-batch", run_id=info["run_id"], tags=tags)
            if info["status"] == "RUNNING":
                self._close(info["run_id"], "KILLED")

    def _close(self, run_id: str, status: str) -> None:
        self._mlflow.post("runs/update", run_id=run_id, status=status, end_time=_now())


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _quoted(text: str) -> str:
    """Give a string of MLflow's filters, which have no way to escape their quotes."""
    return f'"{text}"' if "'" in text else f"'{text}'"


def _now() -> int:
    return int(time.time() * 1000)
