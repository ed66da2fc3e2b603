"""What is wrong between keys of model.yml, each of which could be right."""

from collections.abc import Iterator

from notehive.models import graph
from notehive.models.declaration import Project
from notehive.models.graph import BUILT_IN, Kind
from notehive.models.pipelines import Pipeline, Step
from notehive.typed_yaml.complaints import suggestion
from notehive.typed_yaml.document import Location

Found = Iterator[tuple[Location, str]]
OF_IMAGES = ("title", "description", "packages")
OF_BOTH = ("name", "kind", "image", *OF_IMAGES)


def contradictions(project: Project) -> Found:
    """Give all that is wrong, as (location, ``what; remedy``)."""
    yield from _of_kind(project)
    for name, pipeline in project.pipelines.items():
        at = ("pipelines", name)
        if name in BUILT_IN:
            yield at, "is the name of a built-in step; choose another name"
        yield from _of_schedule(project, name, pipeline)
        seen: dict[str, int] = {}
        for index, step in enumerate(pipeline.steps):
            place = (*at, "steps", index)
            if (first := seen.setdefault(step.name, index)) != index:
                yield (
                    (*place, "run"),
                    f"{step.name} is the name of steps[{first}] too; rename one of the notebooks, "
                    "or keep one of the steps",
                )
            yield from _of_run(project, name, step, (*place, "run"))
            yield from _of_needs(pipeline, step, place)
        yield from _of_cycle(pipeline, at)
    if cycle := graph.cycle(graph.leads_to(project.pipelines)):
        yield (
            ("pipelines", cycle[0]),
            f"starts itself in the end: {' -> '.join(cycle)}; remove an after: or a step of these",
        )


def _of_kind(project: Project) -> Found:
    given = set(project.model_dump(exclude_unset=True))
    if project.kind == "image":
        for key in sorted(given.difference(OF_BOTH)):
            yield (key,), "is for kind: model; remove it"
        return
    for key in sorted(given.intersection(OF_IMAGES)):
        yield (key,), "is for kind: image; remove it"
    if not project.size:
        yield ("size",), "is missing; name a size, like size: small"
    if not project.pipelines:
        yield ("pipelines",), "is missing; add one, like pipelines: {train: {steps: [train.ipynb]}}"


def _of_schedule(project: Project, name: str, pipeline: Pipeline) -> Found:
    at = ("pipelines", name)
    others = [other for other in project.pipelines if other != name]
    if pipeline.after is not None and pipeline.schedule:
        yield (*at, "after"), "is instead of schedule:; keep one of the two"
    if pipeline.after == name:
        yield (*at, "after"), "is the pipeline itself; name another, or remove it"
    elif pipeline.after is not None and pipeline.after not in others:
        yield (
            (*at, "after"),
            f"there is no pipeline {pipeline.after}; {suggestion(pipeline.after, others)}",
        )
    if pipeline.start_date and not pipeline.schedule:
        yield (*at, "start_date"), "says nothing without schedule:; add that, or remove this"
    if pipeline.catchup and not pipeline.start_date:
        yield (*at, "catchup"), "needs the day to begin with; add start_date:"


def _of_run(project: Project, name: str, step: Step, place: Location) -> Found:
    kind = graph.kind(step.run)
    if kind is Kind.PIPELINE and step.run == name:
        yield place, f"{name} is the pipeline itself; name another step"
    elif kind is Kind.PIPELINE and step.run not in project.pipelines:
        steps = [*BUILT_IN, *(other for other in project.pipelines if other != name)]
        remedy = suggestion(step.run, [*steps, *graph.notebooks(project.pipelines[name])])
        yield place, f"there is no step or pipeline {step.run}; {remedy} (notebooks end in .ipynb)"
    elif kind is Kind.BUILT_IN:
        section = BUILT_IN[step.run]
        if project.model_dump()[section] is None:
            yield place, f"{step.run} reads the section {section}; add {section}: to model.yml"


def _of_needs(pipeline: Pipeline, step: Step, place: Location) -> Found:
    runs = [each.run for each in pipeline.steps]
    for index, other in enumerate(step.needs or ()):
        where = (*place, "needs", index)
        if other == step.run:
            yield where, "is the step itself; name another step"
        elif other not in runs:
            yield where, f"there is no step {other}; {suggestion(other, runs)}"
    if step.when == "drifted" and "drift" not in graph.needed(pipeline.steps, step.run):
        yield (*place, "when"), "no drift comes before the step; add the step drift to its needs"


def _of_cycle(pipeline: Pipeline, at: Location) -> Found:
    needs = dict(
        zip((step.run for step in pipeline.steps), graph.needs(pipeline.steps), strict=True)
    )
    # A step that needs itself is named where it says so.
    others = {run: [other for other in found if other != run] for run, found in needs.items()}
    if cycle := graph.cycle(others):
        yield (
            (*at, "steps"),
            f"wait for each other: {' -> '.join(cycle)}; "
            "remove one of these needs:, or write needs: [] for the first",
        )
