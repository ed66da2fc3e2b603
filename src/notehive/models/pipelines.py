"""The pipelines of a model.yml, and their steps."""

from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator

from notehive.models.values import (
    Day,
    Duration,
    Parameters,
    PipelineName,
    Run,
    Schedule,
    Switch,
    step_name,
)
from notehive.typed_yaml.section import Section


class Part(Section):
    """A part of model.yml: what is written is of the right type, nothing is converted."""

    model_config = ConfigDict(strict=True)


class Execution(Part):
    """How a step is run; what a step does not say, its pipeline does."""

    size: str | None = Field(
        None,
        description="CPU and memory, by the name of a size; that of the pipeline, or else of the "
        "model, if not given.",
    )
    retries: int | None = Field(
        None, ge=0, le=10, description="How often a failed step is tried again; 0 if not given."
    )
    timeout: Duration | None = Field(
        None, description="The longest that one try may take, like 90s, 30m, 2h or 1d."
    )
    pool: str | None = Field(
        None, description="A pool of Airflow, whose slots limit how many steps run at once."
    )


class Step(Execution):
    """A step: a notebook, a built-in, or another pipeline of the model."""

    run: Run = Field(
        description="A notebook of the project, like `train.ipynb`; a built-in: `validate`, "
        "`promote`, `drift`, `publish-table`; or the name of another pipeline, which is then run. "
        "`- train.ipynb` is short for `- {run: train.ipynb}`."
    )
    needs: list[str] | None = Field(
        None,
        description="Steps that must have succeeded, as they are written in `run`; the step before "
        "it in the list if not given, `[]` for none.",
    )
    when: Literal["drifted"] | None = Field(
        None,
        description="`drifted`: the step runs only if the `drift` before it found any; or else it "
        "is skipped, and those that need it as well.",
    )

    @property
    def name(self) -> str:
        """What the step is called in the graph."""
        return step_name(self.run)


class Pipeline(Execution):
    """Steps that run together, and when they do."""

    schedule: Schedule | None = Field(
        None,
        description="When it runs, in UTC: five fields of cron, or `@hourly`, `@daily`, "
        "`@weekly`, `@monthly`, `@quarterly`, `@yearly`. On demand only if not given.",
    )
    start_date: Day | None = Field(
        None, description="The first day of the schedule, like 2026-01-31."
    )
    catchup: bool = Field(
        False, description="Whether the intervals since `start_date` that have passed are run too."
    )
    after: PipelineName | None = Field(
        None, description="The pipeline of the model after whose success it runs."
    )
    parameters: Parameters = Field(
        default_factory=dict,
        description="What its notebooks are given, over the defaults in their cell with the tag "
        "`parameters`. A run by hand can change them.",
    )
    smoke: Parameters = Field(
        default_factory=dict,
        description="Parameters over those when the notebooks are tried before a release "
        "([smoke](models.md#what-smoke-tries)), so that it takes little time.",
    )
    tracking: Switch = Field(
        True, description="`off`: its notebooks run without a run of MLflow around them."
    )
    steps: list[Step] = Field(
        min_length=1,
        description="What it runs, in this order, unless `needs` says otherwise.",
    )

    @field_validator("steps", mode="before")
    @classmethod
    def _run_alone(cls, steps: Any) -> Any:
        if not isinstance(steps, list):
            return steps
        return [{"run": step} if isinstance(step, str) else step for step in steps]
