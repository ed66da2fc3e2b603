"""Everything that keeps a project from being released, found at once, before anything is built."""

from collections.abc import Iterator
from pathlib import Path

from notehive.models import project as declared
from notehive.models.checks import (
    code,
    files,
    imports,
    known,
    notebooks,
    outputs,
    requirements,
    schedules,
    schema,
    secrets,
)
from notehive.models.checks.known import Known
from notehive.models.checks.subject import Subject
from notehive.models.problem import Problem

__all__ = ["Known", "Problem", "check"]


def check(directory: Path, platform: Known | None = None) -> list[Problem]:
    """Give all problems of the project in a directory, sorted; none is a project to be built.

    Changes nothing, runs nothing of the project and needs no network; whether its requirements
    can be had, `resolution` says. ``platform`` is what the platform has, if that is known. Packages
    are looked for in the Python that this runs in.
    """
    return sorted(set(_problems(directory, platform)))


def _problems(directory: Path, platform: Known | None) -> Iterator[Problem]:
    if not directory.is_dir():
        yield Problem(str(directory), "", "is no directory", "name that of a project")
        return
    project, problems = declared.read(directory)
    yield from problems
    subject = Subject.read(directory, project)
    yield from subject.problems
    for part in (
        files,
        notebooks,
        outputs,
        secrets,
        code,
        imports,
        requirements,
        schedules,
        schema,
    ):
        yield from part.check(subject)
    if platform and project:
        yield from known.check(project, platform)
