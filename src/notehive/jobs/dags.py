"""One DAG for each pipeline of each published model."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, TriggerRule

from notehive.jobs import release
from notehive.jobs.operator import PipelineOperator, StepOperator
from notehive.jobs.release import Release, Task

BROKEN = "broken"  # in place of a pipeline, where a release cannot be read
FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)  # where nobody says more: what a backfill can reach
MOST_RUNS = 4  # of a pipeline at once, so that a backfill leaves room for others
# Types of parameters in JSON Schema: the form of a run by hand has a field for each.
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}

log = logging.getLogger(__name__)


def make(root: Path, only: str | None = None) -> Iterator[DAG]:
    """Give the DAGs of all models published below a directory, or the only one of this name."""
    if only is None:
        for group, model in release.published(root):
            yield from _of_model(root, group, model, None)
    elif only.count(".") == 2:
        group, model, pipeline = only.split(".")
        if (root / group / model / release.FILE).exists():
            yield from _of_model(root, group, model, pipeline)


def _of_model(root: Path, group: str, model: str, only: str | None) -> Iterator[DAG]:
    """Give a model's DAGs; one that says why, if there are none to be made of its release."""
    try:
        found = release.read(root, group, model)
        yield from [_dag(found, name) for name in found.pipelines if only in (None, name)]
    except Exception as error:  # whatever it is, the other models run on
        log.error("%s/%s: the release cannot be read: %r", group, model, error)
        why = f"Its release cannot be read: `{error!r}`. Publish it again."
        name = f"{group}.{model}.{BROKEN}"
        yield DAG(name, schedule=None, tags={group, model, BROKEN}, doc_md=why)


def _dag(found: Release, name: str) -> DAG:
    pipeline = found.pipelines[name]
    first = pipeline.get("start_date")
    cron = pipeline.get("schedule")
    dag = DAG(
        found.dag_id(name),
        schedule=CronDataIntervalTimetable(cron, timezone="UTC") if cron else None,
        start_date=datetime.fromisoformat(first).replace(tzinfo=UTC) if first else FIRST_DAY,
        catchup=bool(pipeline.get("catchup")),
        params={key: _param(value) for key, value in (pipeline.get("parameters") or {}).items()},
        tags={found.group, found.name},
        description=f"{name} of {found.name}",
        doc_md=_words(found),
        default_args={"owner": found.group, "retry_delay": timedelta(minutes=1)},
        is_paused_upon_creation=False,
        max_active_runs=MOST_RUNS,
    )
    with dag:
        tasks = {task.name: (task, _operator(found, name, task)) for task in found.tasks(name)}
        for task, operator in tasks.values():
            for needed in task.needs:
                tasks[needed][1] >> operator
        ends = [operator for _, operator in tasks.values() if not operator.downstream_task_ids]
        for other in found.after(name):
            _next(found, other) << ends
    return dag


def _operator(found: Release, pipeline: str, task: Task) -> Any:
    common: dict[str, Any] = {"task_id": task.name, "retries": task.retries}
    when = "drift" if task.when else ""
    if task.is_pipeline:
        return PipelineOperator(
            trigger_dag_id=found.dag_id(task.run),
            when=when,
            wait_for_completion=True,
            deferrable=True,
            poke_interval=5,
            **common,
        )
    job = {
        "step": {
            "group": found.group,
            "model": found.name,
            "pipeline": pipeline,
            "step": task.name,
        },
        "release": {"image": found.image, "commit": found.commit},
        "size": {"key": task.size, **found.size},
        "timeout": task.timeout,
        "when": when,
    }
    return StepOperator(job=job, **common, **({"pool": task.pool} if task.pool else {}))


def _next(found: Release, other: str) -> Any:
    """Give the task that starts the pipeline which runs when another has succeeded."""
    return PipelineOperator(
        task_id=f"then.{other}",  # no step has a dot in its name
        trigger_dag_id=found.dag_id(other),
        trigger_rule=TriggerRule.NONE_FAILED,  # what was skipped is no failure
    )


def _param(value: Any) -> Param:
    if value is None:
        return Param(None, type=["null", "string", "number", "boolean", "array", "object"])
    return Param(value, type=TYPES.get(type(value), "object"))


def _words(found: Release) -> str:
    return (
        f"Commit `{found.commit}`, published by {found.published_by} at {found.published_at}, "
        f"as image `{found.image}`.\n\n"
        f"[Repository](/git/{found.group}/{found.name}.git) · [MLflow](/mlflow/)"
    )
