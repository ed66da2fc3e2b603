"""The steps of a pipeline as a graph of tasks, and the pipelines of a model as one of their own.

`tasks` is for projects that are right. What makes one wrong, `contradictions` says, with the
help of the other functions here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter

from notehive.models.declaration import Project
from notehive.models.pipelines import Pipeline, Step
from notehive.models.values import NOTEBOOK, seconds

# What steps can be without a notebook, and the section of model.yml that each reads.
BUILT_IN = {
    "validate": "schema",
    "promote": "promote",
    "drift": "drift",
    "publish-table": "predict",
}


class Kind(StrEnum):
    """What a task runs."""

    NOTEBOOK = "notebook"
    BUILT_IN = "built-in"
    PIPELINE = "pipeline"


@dataclass(frozen=True)
class Task:
    """A step as it is to be run, with what its pipeline says filled in."""

    name: str
    run: str  # path of a notebook in the project, name of a built-in or of a pipeline
    kind: Kind
    needs: tuple[str, ...]  # names of tasks
    when: str  # "drifted", or empty
    size: str
    retries: int
    timeout: int  # seconds; 0 for none
    pool: str  # empty for Airflow's default


def tasks(project: Project, pipeline: str) -> list[Task]:
    """Give the tasks of a pipeline, each after those that it needs."""
    chosen = project.pipelines[pipeline]
    found = {step.name: _task(project, chosen, step) for step in chosen.steps}
    for step, needed in zip(chosen.steps, needs(chosen.steps), strict=True):
        found[step.name] = _task(project, chosen, step, needed)
    order = TopologicalSorter({name: task.needs for name, task in found.items()})
    return [found[name] for name in order.static_order()]


def _task(project: Project, pipeline: Pipeline, step: Step, needed: Sequence[str] = ()) -> Task:
    names = {other.run: other.name for other in pipeline.steps}
    return Task(
        name=step.name,
        run=step.run,
        kind=kind(step.run),
        needs=tuple(names[run] for run in needed),
        when=step.when or "",
        size=step.size or pipeline.size or project.size,
        retries=next((n for n in (step.retries, pipeline.retries) if n is not None), 0),
        timeout=seconds(step.timeout or pipeline.timeout or ""),
        pool=step.pool or pipeline.pool or "",
    )


def kind(run: str) -> Kind:
    """Give what a step's `run` is."""
    if run.endswith(NOTEBOOK):
        return Kind.NOTEBOOK
    return Kind.BUILT_IN if run in BUILT_IN else Kind.PIPELINE


def notebooks(pipeline: Pipeline) -> list[str]:
    """Give the notebooks that a pipeline runs, as paths in the project."""
    return [step.run for step in pipeline.steps if kind(step.run) is Kind.NOTEBOOK]


def needs(steps: Sequence[Step]) -> Iterator[list[str]]:
    """Give what each step needs, by `run`: what it says, or the step before it."""
    before: list[str] = []
    for step in steps:
        yield before if step.needs is None else step.needs
        before = [step.run]


def needed(steps: Sequence[Step], run: str) -> set[str]:
    """Give all that a step needs, directly or not; cycles and unknown names do no harm."""
    direct = dict(zip((step.run for step in steps), needs(steps), strict=True))
    found: set[str] = set()
    todo = [run]
    while todo:
        for other in direct.get(todo.pop(), ()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def leads_to(pipelines: Mapping[str, Pipeline]) -> dict[str, list[str]]:
    """Give the pipelines that each one starts: as a step of it, or since they come after it."""
    return {
        name: [
            *(step.run for step in pipeline.steps if kind(step.run) is Kind.PIPELINE),
            *(other for other, each in pipelines.items() if each.after == name),
        ]
        for name, pipeline in pipelines.items()
    }


def cycle(graph: Mapping[str, Sequence[str]]) -> list[str]:
    """Give a cycle in a graph as its names in order; none if there is none.

    It begins, and so ends, with that of its names which comes first in the graph. Names that are
    no nodes of the graph are no edges of it either.
    """
    known = {name: [other for other in others if other in graph] for name, others in graph.items()}
    try:
        TopologicalSorter(known).prepare()
    except CycleError as error:
        found = error.args[1][:0:-1]  # it has each after what it leads to, and the first twice
        begin = found.index(next(name for name in graph if name in found))
        return [*found[begin:], *found[: begin + 1]]
    return []
