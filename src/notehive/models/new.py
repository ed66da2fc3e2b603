"""A new project, made from the template."""

import shutil
from pathlib import Path

from notehive.errors import BadInput
from notehive.models.values import MODEL_NAME

TEMPLATE = Path(__file__).with_name("template")
NAME = "NAME"  # what the template calls the model
LEFT_OUT = shutil.ignore_patterns("__pycache__")


def make(directory: Path, name: str) -> None:
    """Write the project of a new model into a directory that is empty, a new clone, or not there.

    Raises BadInput if the name is none, or something is there already.
    """
    if not MODEL_NAME.fullmatch(name):
        raise BadInput(
            f"{name}: is no name of a model; use 2 to 40 lower-case letters, digits and dashes, "
            "with a letter or digit at both ends"
        )
    if directory.exists() and (not directory.is_dir() or _has_files(directory)):
        raise BadInput(f"{directory}: is not empty; name a directory that is not there yet")
    shutil.copytree(TEMPLATE, directory, ignore=LEFT_OUT, dirs_exist_ok=True)
    for path in TEMPLATE.rglob("*"):
        copy = directory / path.relative_to(TEMPLATE)
        if copy.is_file():
            text = copy.read_text(encoding="utf-8")
            copy.write_text(text.replace(NAME, name), encoding="utf-8")


def _has_files(directory: Path) -> bool:
    return any(each.name != ".git" for each in directory.iterdir())
