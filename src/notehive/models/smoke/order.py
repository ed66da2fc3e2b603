"""In which order pipelines are tried, and what of them."""

from collections.abc import Mapping

from notehive.models.graph import Kind, Task
from notehive.models.pipelines import Pipeline

VALIDATE = "validate"  # the one built-in step that needs nothing but files


def ordered(pipelines: Mapping[str, Pipeline]) -> list[str]:
    """Give the names: each after the pipeline that it is `after`, else as in model.yml."""
    order: list[str] = []

    def add(name: str) -> None:
        if name not in order:
            if before := pipelines[name].after:
                add(before)
            order.append(name)

    for name in pipelines:
        add(name)
    return order


def is_tried(task: Task) -> bool:
    """Whether a step is run, rather than left out for what it would change or ask."""
    return task.kind is Kind.NOTEBOOK or task.run == VALIDATE
