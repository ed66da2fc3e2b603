"""The only reader of model.yml."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from notehive.errors import BadInput
from notehive.models.contradictions import contradictions
from notehive.models.declaration import Project
from notehive.models.problem import Problem, key
from notehive.typed_yaml import document
from notehive.typed_yaml.complaints import explain, location_of, should_be, show
from notehive.typed_yaml.core_schema import CoreLoader
from notehive.typed_yaml.document import Document, Mistake

__all__ = ["FILE", "Project", "from_json", "load", "parse", "read", "to_json"]
FILE = "model.yml"
MOST_BYTES = 256 * 1024


def load(directory: Path) -> Project:
    """Give what the model.yml in a directory says.

    Raises BadInput with the first problem: one line that names the key and the remedy.
    """
    project, problems = read(directory)
    if project is None:
        raise BadInput(str(problems[0]))
    return project


def read(directory: Path) -> tuple[Project | None, list[Problem]]:
    """Give what the model.yml in a directory says, or else all that is wrong with it."""
    path = directory / FILE
    try:
        if not path.is_file():
            return None, [Problem(FILE, "", "is missing", "make one with `notehive model new`")]
        if path.stat().st_size > MOST_BYTES:
            return None, [Problem(FILE, "", "is larger than 256 KiB", "write less")]
        return parse(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return None, [Problem(FILE, "", "is not UTF-8 text", "save it as UTF-8")]
    except OSError as error:
        return None, [Problem(FILE, "", f"cannot be read: {error.strerror}", "make it readable")]


def parse(text: str) -> tuple[Project | None, list[Problem]]:
    """Give what the text of a model.yml says, or else all that is wrong with it."""
    try:
        written = document.read(text, CoreLoader)
    except Mistake as error:
        line = f"line {error.line}" if error.line else ""
        return None, [Problem.of(FILE, key(error.location) or line, _with_remedy(error))]
    if not isinstance(written.data, dict):
        return None, [Problem(FILE, "", "holds no keys and values", "begin with name: NAME")]
    try:
        project = Project.model_validate(written.data)
    except ValidationError as error:
        return None, [_problem(each, written) for each in error.errors(include_url=False)]
    problems = [
        Problem.of(FILE, key(_written(location, written)), message)
        for location, message in contradictions(project)
    ]
    return (None, problems) if problems else (project, [])


def to_json(project: Project) -> dict[str, Any]:
    """Give the project as JSON has it: every key, those not written with their defaults."""
    return project.model_dump(mode="json")


def from_json(data: object) -> Project:
    """Give the project that `to_json` gave. Raises ValueError if it is another thing."""
    return Project.model_validate(data)


def _problem(error: Any, written: Document) -> Problem:
    location = location_of(error)
    if error["type"] != "missing":
        location = written.known(location)
    if error["input"] is not None and (wanted := should_be(error)):
        return Problem(FILE, key(location), f"is {show(error['input'])}", f"should be {wanted}")
    return Problem.of(FILE, key(location), explain(error, Project))


def _written(location: tuple[str | int, ...], written: Document) -> tuple[str | int, ...]:
    """The place in the file; of a key that is missing altogether, its own name."""
    return written.known(location) or location


def _with_remedy(error: Mistake) -> str:
    if "; " in error.message or not error.message.startswith("not YAML"):
        return error.message
    return f"{error.message}; put text with special characters (@ * : # %) in quotes"
