"""The tasks that DAGs are made of."""

from collections.abc import Mapping, Sequence
from pkgutil import resolve_name
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException
from airflow.triggers.base import StartTriggerArgs

from notehive.jobs import facts

# Imported by those who run a job only: what it needs is most of what a DAG file would load.
TRIGGER = "notehive.jobs.trigger.JobTrigger"
NEXT = "execute"  # Airflow wants a method to go on with; the trigger's events end the task instead


class StepOperator(BaseOperator):
    """A step that is a job. Its trigger is all of it, unless it waits for a pool."""

    template_fields: Sequence[str] = ()
    ui_color = "#e8f0fe"

    def __init__(self, *, job: Mapping[str, Any], **options: Any) -> None:
        """``job``: arguments of `JobTrigger`."""
        super().__init__(**options)
        self.job = dict(job)
        # What starts in the triggerer never was in a queue, and there alone are slots counted.
        self.start_from_trigger = self.pool == "default_pool"
        self.start_trigger_args = StartTriggerArgs(
            trigger_cls=TRIGGER, trigger_kwargs=self.job, next_method=NEXT
        )

    def execute(self, context: Any) -> None:
        """Have the triggerer do it: a worker has had a slot of the pool for it."""
        trigger = resolve_name(TRIGGER)
        self.defer(trigger=trigger(**self.job, run=facts.of(context)), method_name=NEXT)


class PipelineOperator(TriggerDagRunOperator):
    """A step, or what comes after a pipeline, that is another pipeline of the same model."""

    template_fields: Sequence[str] = ("trigger_run_id",)

    def __init__(self, *, when: str = "", **options: Any) -> None:
        """``when``: the step that says whether to run at all."""
        super().__init__(
            # Once for each run of this one, however often it is tried.
            trigger_run_id="{{ dag.dag_id }}__{{ run_id }}",
            reset_dag_run=True,
            logical_date=None,
            **options,
        )
        self.when = when

    def execute(self, context: Any) -> None:
        """Start it, about what this run is about."""
        run = context["dag_run"]
        if self.when:
            pulled = context["ti"].xcom_pull(task_ids=self.when, key=facts.TOLD)
            if not facts.wanted(facts.told(pulled)):
                raise AirflowSkipException(facts.UNWANTED)
        self.conf = {facts.STARTED_BY: {"run": run.run_id, **facts.times(run)}}
        super().execute(context)
