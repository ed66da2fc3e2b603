"""Files of every kind: inside the project, of a sane size, and merged to the end."""

from collections.abc import Iterator

from notehive.models.checks import tree
from notehive.models.checks.notebook import MIB
from notehive.models.checks.subject import Subject
from notehive.models.problem import Problem

MOST_BYTES = 50 * MIB
WRITTEN = (  # by people
    *(".cfg", ".csv", ".ini", ".ipynb", ".json", ".md", ".py", ".r", ".rst"),
    *(".sh", ".sql", ".toml", ".txt", ".yaml", ".yml"),
)


def check(subject: Subject) -> Iterator[Problem]:
    """Give the files that cannot be part of a release."""
    for path in sorted(subject.escaping):
        what = "is a link that leads out of the project"
        yield Problem(path, "", what, "replace it by the file itself")
    large = []
    for path in subject.regular():
        if (subject.root / path).stat().st_size > MOST_BYTES:
            large.append(path)
        elif path.endswith(WRITTEN):
            yield from _half_merged(path, subject.text(path))
    kept = tree.in_lfs(subject.root, large) if large else set()
    for path in large:
        if path not in kept and not path.endswith(".ipynb"):  # those are told of their outputs
            size = (subject.root / path).stat().st_size // MIB
            remedy = "keep data in the group's shared folder, or track it with Git LFS"
            yield Problem(path, "", f"has {size} MiB", remedy)


def _half_merged(path: str, text: str) -> Iterator[Problem]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(("<<<<<<< ", ">>>>>>> ")):
            what = f"has the mark of a merge that was not finished: {line[:40]}"
            yield Problem(path, f"line {number}", what, "choose what is right and remove the marks")
            return
