"""What Prometheus is told of pipelines.

It is read off Airflow's own records, which last: what Airflow sends to statsd is what one process
counts, and is lost while nobody listens.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from notehive.airflow.rights import group_of

BY = ["group", "model", "pipeline", "state"]


class Runs(NamedTuple):
    """The runs of a DAG that are in one state."""

    dag: str
    state: str
    number: int
    seconds: float | None  # that those of them took which have ended; None if none has
    last_end: float | None  # of one of them, since 1970


class Records(NamedTuple):
    """What Airflow knows at one moment."""

    runs: Sequence[Runs]
    tasks: Sequence[tuple[str, int]]  # that are not done, by state
    alive: Sequence[tuple[str, float]]  # Airflow's parts, and when each last said so


class Pipelines:
    """A collector of what ``read`` gives at each scrape."""

    def __init__(self, read: Callable[[], Records]) -> None:
        self.read = read

    def collect(self) -> Iterator[Metric]:
        """Give all metrics."""
        now = self.read()
        yield from _runs(now.runs)
        tasks = GaugeMetricFamily(
            "notehive_airflow_tasks", "Tasks that are not done, by state.", labels=["state"]
        )
        alive = GaugeMetricFamily(
            "notehive_airflow_heartbeat_timestamp_seconds",
            "When a part of Airflow last said that it works.",
            labels=["part"],
        )
        for state, number in now.tasks:
            tasks.add_metric([state], number)
        for part, since in now.alive:
            alive.add_metric([part], since)
        yield from (tasks, alive)


def words(dag: str) -> tuple[str, str, str]:
    """Give group, model and pipeline of a DAG; of a misnamed one its whole name as the last."""
    if not group_of(dag):
        return "", "", dag
    group, model, pipeline = dag.split(".", 2)
    return group, model, pipeline


def _runs(runs: Sequence[Runs]) -> Iterator[Metric]:
    number = GaugeMetricFamily(
        "notehive_pipeline_runs", "Runs that Airflow knows of, by state.", labels=BY
    )
    seconds = GaugeMetricFamily(
        "notehive_pipeline_run_seconds", "What those that have ended took together.", labels=BY
    )
    last_end = GaugeMetricFamily(
        "notehive_pipeline_last_end_timestamp_seconds", "When the last of them ended.", labels=BY
    )
    for each in runs:
        labels = [*words(each.dag), each.state]
        number.add_metric(labels, each.number)
        if each.seconds is not None:
            seconds.add_metric(labels, each.seconds)
        if each.last_end is not None:
            last_end.add_metric(labels, each.last_end)
    yield from (number, seconds, last_end)
