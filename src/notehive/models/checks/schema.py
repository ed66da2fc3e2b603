"""The file that `schema:` names: there, and YAML with columns."""

from collections.abc import Iterator

from notehive.models.checks.subject import Subject
from notehive.models.problem import Problem
from notehive.models.project import FILE
from notehive.typed_yaml import document
from notehive.typed_yaml.core_schema import CoreLoader
from notehive.typed_yaml.document import Mistake


def check(subject: Subject) -> Iterator[Problem]:
    """Give what keeps the schema from being read; what it may say, the step `validate` knows."""
    path = subject.project.schema_file if subject.project else None
    if path is None:
        return
    if not subject.is_there(path):
        yield Problem(FILE, "schema", f"there is no file {path} in the project", "add it")
        return
    try:
        written = document.read(subject.text(path), CoreLoader)
    except Mistake as error:
        place = f"line {error.line}" if error.line else ""
        yield Problem.of(path, place, error.message)
        return
    data = written.data
    if not isinstance(data, dict) or not isinstance(data.get("columns"), dict):
        yield Problem(path, "", "has no columns", "add columns: with a key for each")
