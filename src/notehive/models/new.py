"""A new project, made from the template or an example."""

import shutil
from pathlib import Path

from notehive.errors import BadInput
from notehive.models.values import MODEL_NAME

TEMPLATE = Path(__file__).with_name("template")
NAME = "NAME"  # what the template calls the model
EXAMPLES = Path("/usr/share/notehive/examples")  # in notebook images; a model each
LEFT_OUT = shutil.ignore_patterns("__pycache__")


def examples(root: Path = EXAMPLES) -> dict[str, str]:
    """Give what each example is about, the first sentences of its README, by its name."""
    found = {}
    for readme in sorted(root.glob("*/README.md")):
        _, about, *_ = readme.read_text(encoding="utf-8").split("\n\n")
        found[readme.parent.name] = about.strip()
    return found


def example(name: str, root: Path = EXAMPLES) -> Path:
    """Give the folder of an example. Raises BadInput if there is none of this name."""
    names = examples(root)
    if name not in names:
        raise BadInput(f"{name}: there is no such example; there are {', '.join(names)}")
    return root / name


def make(directory: Path, name: str, source: Path = TEMPLATE) -> None:
    """Write the project of a new model into a directory that is empty, a new clone, or not there.

    ``source``: the template, or the folder of an example, whose model is called as the folder is.
    Raises BadInput if the name is none, or something is there already.
    """
    if not MODEL_NAME.fullmatch(name):
        raise BadInput(
            f"{name}: is no name of a model; use 2 to 40 lower-case letters, digits and dashes, "
            "with a letter or digit at both ends"
        )
    if directory.exists() and (not directory.is_dir() or _has_files(directory)):
        raise BadInput(f"{directory}: is not empty; name a directory that is not there yet")
    shutil.copytree(source, directory, ignore=LEFT_OUT, dirs_exist_ok=True)
    called = NAME if source == TEMPLATE else source.name
    for path in source.rglob("*"):
        copy = directory / path.relative_to(source)
        if copy.is_file():
            text = copy.read_text(encoding="utf-8")
            copy.write_text(text.replace(called, name), encoding="utf-8")


def _has_files(directory: Path) -> bool:
    return any(each.name != ".git" for each in directory.iterdir())
