"""What a job is told of itself, by its environment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notehive.models.step.failure import Failed


@dataclass(frozen=True)
class Job:
    """One try of one step, in one run of one pipeline of a group's model."""

    group: str
    model: str
    pipeline: str
    step: str
    run: str  # Airflow's name of the run
    attempt: int  # from 1
    run_dir: Path  # shared by the steps of a run
    logical_date: str | None  # ISO; none has a run that was started by hand without one
    data_interval_start: str | None
    data_interval_end: str | None
    parameters: Mapping[str, Any]  # those of the run
    image: str  # by digest
    commit: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Job":
        """Take the variables NOTEHIVE_*; raise Failed if one is missing or cannot be read."""

        def given(name: str) -> str:
            try:
                return environ[f"NOTEHIVE_{name}"]
            except KeyError:
                raise Failed(f"NOTEHIVE_{name}: is not set; a job's environment has it") from None

        return cls(
            group=given("GROUP"),
            model=given("MODEL"),
            pipeline=given("PIPELINE"),
            step=given("STEP"),
            run=given("RUN"),
            attempt=_number("NOTEHIVE_TRY", given("TRY")),
            run_dir=Path(given("RUN_DIR")),
            logical_date=given("LOGICAL_DATE") or None,
            data_interval_start=given("DATA_INTERVAL_START") or None,
            data_interval_end=given("DATA_INTERVAL_END") or None,
            parameters=_object("NOTEHIVE_PARAMETERS", given("PARAMETERS")),
            image=given("IMAGE"),
            commit=given("COMMIT"),
        )

    @property
    def notes(self) -> Path:
        """The folder of what steps of a run tell each other."""
        return self.run_dir / ".notehive"


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Failed(f"{name}: {text!r} is no number") from None


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise Failed(f"{name}: is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Failed(f"{name}: is no JSON object, but {text[:80]}")
    return found
