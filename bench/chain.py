"""One notebook from Airflow's page on: from the moment its run is queued until that run has ended.

All times are of clocks of this machine: Airflow's own, and the engine's.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from bench.ways import moment
from notehive import docker


class Chain(NamedTuple):
    """Seconds of one run."""

    to_step: float  # until Airflow has begun with its only task
    to_start: float  # until what runs the notebook has started: the job's container, or a process
    total: float  # until Airflow says that the run has ended
    after: float  # of it since what runs the notebook has ended


class Airflow(Protocol):
    """An Airflow that can be asked."""

    def run(self, dag: str) -> str:
        """Have a DAG run; give the path of the run."""

    def ended(self, run: str) -> str:
        """Wait for the end of a run; give its state."""

    def told(self, path: str) -> Any:
        """Give the JSON of what is there."""


@dataclass
class Events:
    """When containers of a stack's jobs have started and ended."""

    started: list[datetime] = field(default_factory=list)
    ended: list[datetime] = field(default_factory=list)

    def read(self, text: str) -> None:
        """Take events as the engine's client writes them, a line of JSON each."""
        for event in map(json.loads, text.splitlines()):
            list_ = self.started if event["Action"] == "start" else self.ended
            list_.append(datetime.fromtimestamp(event["timeNano"] / 1e9, UTC))


@contextmanager
def events(stack: str) -> Iterator[Events]:
    """Listen to what becomes of jobs meanwhile; what was heard is there afterwards."""
    filters = ("type=container", "event=start", "event=die", f"label=notehive.stack={stack}",
               "label=notehive.kind=job")  # fmt: skip
    since = f"--since={datetime.now(UTC).timestamp():.3f}"
    listening = subprocess.Popen(
        docker.command(
            *("events", since, "--format", "{{json .}}"), *(f"--filter={each}" for each in filters)
        ),
        stdout=subprocess.PIPE,
        text=True,
    )
    found = Events()
    try:
        yield found
    finally:
        listening.terminate()
        found.read(listening.communicate()[0])


def as_jobs(airflow: Airflow, dag: str, stack: str) -> Chain:
    """Have Notehive's Airflow run a pipeline of one step."""
    with events(stack) as heard:
        run, task = _done(airflow, dag)
    [started], [ended] = heard.started, heard.ended
    return _chain(run, task, started, ended)


def in_airflow(airflow: Airflow, dag: str) -> Chain:
    """Have the peer run a DAG of one PapermillOperator."""
    run, task = _done(airflow, dag)
    return _chain(run, task, moment(task["start_date"]), moment(task["end_date"]))


def _done(airflow: Airflow, dag: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Run a DAG; give what Airflow says of the run, and of its only task."""
    path = airflow.run(dag)
    state = airflow.ended(path)
    [task] = airflow.told(f"{path}/taskInstances")["task_instances"]
    if state != "success":
        log = airflow.told(f"{path}/taskInstances/{task['task_id']}/logs/1?full_content=true")
        raise RuntimeError(f"{dag}: {state}\n{json.dumps(log, indent=1)}")
    return airflow.told(path), task


def _chain(
    run: Mapping[str, Any], task: Mapping[str, Any], started: datetime, ended: datetime
) -> Chain:
    queued, over = moment(run["queued_at"]), moment(run["end_date"])
    return Chain(
        to_step=_seconds(queued, moment(task["start_date"])),
        to_start=_seconds(queued, started),
        total=_seconds(queued, over),
        after=_seconds(ended, over),
    )


def _seconds(began: datetime, ended: datetime) -> float:
    return round((ended - began).total_seconds(), 3)
