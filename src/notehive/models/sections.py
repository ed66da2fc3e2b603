"""The sections of a model.yml that the built-in steps and the prediction servers read."""

from typing import Annotated, Literal

from pydantic import Field

from notehive.models.pipelines import Part
from notehive.models.values import RunFile

Word = Annotated[str, Field(min_length=1, max_length=200)]


class Promote(Part):
    """How the step `promote` decides between champion and challenger."""

    metric: Word = Field(description="What both are scored by, like `roc_auc`.")
    goal: Literal["max", "min"] = Field("max", description="Whether more is better, or less.")
    min_gain: float = Field(
        0.0, ge=0, description="How much better the challenger must be; with 0 a tie is enough."
    )
    data: RunFile = Field(description="The file in the run directory that both are scored on.")
    target: Word = Field(description="The column of that file that holds the truth.")


class Drift(Part):
    """What the step `drift` compares with the champion's reference, and what it calls drift."""

    current: RunFile = Field(description="The file of features in the run directory.")
    ks_pvalue: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="A feature has drifted if a Kolmogorov-Smirnov test gives less.",
    )
    psi: float = Field(
        0.2, gt=0, description="A feature has drifted if its population stability index is more."
    )


class Predict(Part):
    """What the pipeline `predict` leaves behind."""

    output: RunFile = Field(
        description="The file of predictions in the run directory, which `publish-table` copies."
    )


class Serve(Part):
    """The servers that answer requests for predictions."""

    replicas: int = Field(1, ge=1, le=100, description="How many there are of each version.")
