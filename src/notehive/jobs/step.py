"""One attempt at one step of a run: what it is called, and what it is told."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from notehive import naming

KIND = "job"  # label notehive.kind of the services
TOKEN = "job-token"  # noqa: S105 - the same of the secrets
NAMED = ("group", "model", "pipeline", "step", "run", "try")  # labels that make the name


@dataclass(frozen=True)
class Attempt:
    """What Airflow says of a task that is to run. Times are ISO, empty for none."""

    group: str
    model: str
    pipeline: str
    step: str
    run: str  # id of the DAG run
    number: int  # of the try, from 1
    logical_date: str = ""
    interval_start: str = ""
    interval_end: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def labels(self, stack: str) -> dict[str, str]:
        """Give the labels of all that belongs to it."""
        return {
            "notehive.stack": stack,
            "notehive.kind": KIND,
            "notehive.group": self.group,
            "notehive.model": self.model,
            "notehive.pipeline": self.pipeline,
            "notehive.step": self.step,
            "notehive.run": self.run,
            "notehive.try": str(self.number),
        }

    def service(self, stack: str) -> str:
        """Give the name of its service: the same after each restart of Airflow."""
        return service_name(self.labels(stack))

    @property
    def directory(self) -> str:
        """The path, below the storage's root, of what the steps of its run share."""
        return directory(self.labels(""))

    def environment(self) -> dict[str, str]:
        """Give what the step itself is told."""
        return {
            "NOTEHIVE_GROUP": self.group,
            "NOTEHIVE_MODEL": self.model,
            "NOTEHIVE_PIPELINE": self.pipeline,
            "NOTEHIVE_STEP": self.step,
            "NOTEHIVE_RUN": self.run,
            "NOTEHIVE_TRY": str(self.number),
            "NOTEHIVE_LOGICAL_DATE": self.logical_date,
            "NOTEHIVE_DATA_INTERVAL_START": self.interval_start,
            "NOTEHIVE_DATA_INTERVAL_END": self.interval_end,
            "NOTEHIVE_PARAMETERS": json.dumps(dict(self.parameters)),
        }


def directory(labels: Mapping[str, str]) -> str:
    """Give the path, below the storage's root, of what the steps of a run share, by its labels."""
    named = {key: labels[f"notehive.{key}"] for key in ("group", "model", "pipeline", "run")}
    return naming.run_directory(**named)


def service_name(labels: Mapping[str, str]) -> str:
    """Give the name of the service that has these labels."""
    named = {key: labels[f"notehive.{key}"] for key in NAMED}
    attempt = named.pop("try")
    return naming.job_service(labels["notehive.stack"], **named, attempt=attempt)
