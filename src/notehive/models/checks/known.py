"""What a project asks of the platform: an image and sizes that it has."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from notehive.models.declaration import Project
from notehive.models.problem import Problem, key
from notehive.models.project import FILE
from notehive.typed_yaml.complaints import suggestion
from notehive.typed_yaml.document import Location


@dataclass(frozen=True)
class Known:
    """What the group of a project may use, and what names are taken."""

    images: Collection[str]
    sizes: Collection[str]
    name: str = ""  # of the project's repository, if it has one
    pools: Collection[str] = ()  # of Airflow; not checked if empty


def check(project: Project, platform: Known) -> Iterator[Problem]:
    """Give what the project asks for and the platform does not have."""
    if platform.name and project.name != platform.name:
        what = f"is {project.name}, and its repository is {platform.name}"
        yield Problem(FILE, "name", what, f"write name: {platform.name}")
    yield from _one_of("image", ("image",), project.image, platform.images)
    if project.size:
        yield from _one_of("size", ("size",), project.size, platform.sizes)
    for name, pipeline in project.pipelines.items():
        at = ("pipelines", name)
        places = [(at, pipeline), *(((*at, "steps", i), s) for i, s in enumerate(pipeline.steps))]
        for where, execution in places:
            if execution.size:
                yield from _one_of("size", (*where, "size"), execution.size, platform.sizes)
            if execution.pool and platform.pools:
                yield from _one_of("pool", (*where, "pool"), execution.pool, platform.pools)


def _one_of(
    what: str, location: Location, wanted: str, there: Collection[str]
) -> Iterator[Problem]:
    if wanted not in there:
        said = f"there is no {what} {wanted} for this group"
        yield Problem(FILE, key(location), said, suggestion(wanted, there))
