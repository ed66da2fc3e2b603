"""What has been published: the release.json of each model, read as far as DAGs need it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path("/srv/models")  # of all, in each service that writes or reads them
FILE = "current/release.json"
BUILT_IN = ("validate", "promote", "drift", "publish-table")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Task:
    """A step as it is to be run, with what its pipeline says filled in."""

    name: str
    run: str  # path of a notebook in the project, name of a built-in or of a pipeline
    needs: tuple[str, ...]  # names of tasks
    when: str  # "drifted", or empty
    size: str
    retries: int
    timeout: int  # seconds; 0 for none
    pool: str  # empty for Airflow's default

    @property
    def is_pipeline(self) -> bool:
        """Whether it is another pipeline of the model."""
        return not self.run.endswith(".ipynb") and self.run not in BUILT_IN


@dataclass(frozen=True)
class Release:
    """One version of a model, as it was published."""

    group: str
    name: str
    commit: str
    image: str
    size: Mapping[str, Any]
    published_at: str
    published_by: str
    model: Mapping[str, Any]

    @property
    def pipelines(self) -> Mapping[str, Mapping[str, Any]]:
        """What model.yml says of each pipeline."""
        return self.model["pipelines"]

    def dag_id(self, pipeline: str) -> str:
        """Give the name of a pipeline's DAG."""
        return f"{self.group}.{self.name}.{pipeline}"

    def after(self, pipeline: str) -> list[str]:
        """Give the pipelines that run when this one has succeeded."""
        return [name for name, each in self.pipelines.items() if each.get("after") == pipeline]

    def tasks(self, pipeline: str) -> list[Task]:
        """Give the tasks of a pipeline."""
        return _tasks(self.model, self.pipelines[pipeline])


def _tasks(model: Mapping[str, Any], pipeline: Mapping[str, Any]) -> list[Task]:
    steps = [{"run": step} if isinstance(step, str) else step for step in pipeline["steps"]]
    names = {step["run"]: Path(step["run"]).name.removesuffix(".ipynb") for step in steps}
    before: list[str] = []
    found = []
    for step in steps:
        needs = before if step.get("needs") is None else step["needs"]
        before = [step["run"]]
        # What a step does not say, its pipeline does, and then the model.
        said = {**_given(model), **_given(pipeline), **_given(step)}
        found.append(
            Task(
                name=names[step["run"]],
                run=step["run"],
                needs=tuple(names[run] for run in needs),
                when=step.get("when") or "",
                size=said.get("size", ""),
                retries=said.get("retries", 0),
                timeout=_seconds(said.get("timeout", "")),
                pool=said.get("pool", ""),
            )
        )
    return found


def _given(part: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if value is not None}


def _seconds(text: str) -> int:
    return int(text[:-1]) * UNITS[text[-1]] if text else 0


def read(root: Path, group: str, model: str) -> Release:
    """Read one. Raises OSError, ValueError, KeyError or TypeError for what is none."""
    found = Release(**json.loads((root / group / model / FILE).read_text(encoding="utf-8")))
    if (found.group, found.name) != (group, model):
        raise ValueError(f"it is of {found.group}/{found.name}")
    return found


def published(root: Path) -> Iterator[tuple[str, str]]:
    """Give group and name of each model that has a release."""
    for path in sorted(root.glob(f"*/*/{FILE}")):
        group, model = path.relative_to(root).parts[:2]
        yield group, model
