"""The sizes that a model.yml names, of which only the settings know whether there are such.

What has another form than it should is left to the check of all keys.
"""

from collections.abc import Iterator
from typing import Any


def named(data: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    """Yield place and key of each: of the model, of its pipelines and of their steps."""
    yield from _of("", data)
    pipelines = data.get("pipelines")
    for name, pipeline in pipelines.items() if isinstance(pipelines, dict) else ():
        yield from _of(f"pipelines.{name}.", pipeline)
        steps = pipeline.get("steps") if isinstance(pipeline, dict) else None
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            yield from _of(f"pipelines.{name}.steps[{index}].", step)


def _of(place: str, part: Any) -> Iterator[tuple[str, str]]:
    size = part.get("size") if isinstance(part, dict) else None
    if isinstance(size, str) and size:
        yield f"{place}size", size
