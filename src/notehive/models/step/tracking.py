"""The run in MLflow that a step is: open before its kernel starts, closed when that has ended."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from notehive.models.step.failure import Failed
from notehive.models.step.job import Job

if TYPE_CHECKING:
    from notehive.models.step.tracked import Tracked

RUN_ID = "MLFLOW_RUN_ID"


class Untracked:
    """A step whose pipeline has tracking switched off: MLflow hears nothing of it."""

    keeps = False  # files

    def variables(self) -> dict[str, str]:
        """Give what the kernel's environment needs: nothing."""
        return {}

    def link(self, file: str) -> str:
        """Give where a file of the run is shown: nowhere."""
        return ""

    def end(self, status: str, files: Sequence[Path], parameters: Mapping[str, Any]) -> None:
        """Do nothing."""


Run = Union[Untracked, "Tracked"]


def begin(job: Job, source: str, *, tracked: bool) -> Run:
    """Begin to open a run, if the step is tracked; return at once."""
    if not tracked:
        return Untracked()
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        raise Failed("MLFLOW_TRACKING_URI: is not set; switch tracking off in model.yml")
    from notehive.models.step.tracked import Tracked

    return Tracked(job, source)
