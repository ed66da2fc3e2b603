"""The project that is checked: its files are read once, for all checks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from notehive.models.checks import notebook, python, tree
from notehive.models.checks.notebook import Notebook
from notehive.models.checks.python import Piece
from notehive.models.declaration import Project
from notehive.models.problem import Problem

MOST_TEXT_BYTES = 2 * 1024 * 1024


@dataclass
class Subject:
    """A project's directory, and what could be read of it."""

    root: Path
    project: Project | None  # None if model.yml is wrong
    paths: list[str]  # of all files, sorted
    escaping: set[str] = field(default_factory=set)  # symbolic links that lead out or nowhere
    notebooks: dict[str, Notebook] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)  # files and cells of Python
    problems: list[Problem] = field(default_factory=list)  # found while it was read

    @classmethod
    def read(cls, root: Path, project: Project | None) -> "Subject":
        """Read all that checks need; what cannot be read is a problem."""
        subject = cls(root, project, tree.paths(root))
        subject.escaping = {path for path in subject.paths if _leads_out(root, path)}
        for path in subject.regular():
            if path.endswith(".ipynb"):
                subject._take(notebook.read(root, path))
            elif path.endswith(".py"):
                subject._take(python.of_file(path, subject.text(path)))
        return subject

    def _take(self, found: Notebook | Piece | Problem) -> None:
        match found:
            case Problem():
                self.problems.append(found)
            case Piece():
                self.pieces.append(found)
            case Notebook():
                self.notebooks[found.path] = found
                for cell in found.code if found.is_python else ():
                    self._take(python.of_cell(found.path, cell))

    def regular(self) -> Iterator[str]:
        """Give the paths of the files that are there and inside the project."""
        for path in self.paths:
            if path not in self.escaping and (self.root / path).is_file():
                yield path

    def text(self, path: str) -> str:
        """Give the text of a file; empty if it is none, or too long to be written by hand."""
        try:
            file = self.root / path
            if file.is_file() and file.stat().st_size <= MOST_TEXT_BYTES:
                return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            pass
        return ""

    def is_there(self, path: str) -> bool:
        """Whether a file of the project has this path."""
        return path in self.paths and path not in self.escaping and (self.root / path).is_file()

    def modules(self) -> set[str]:
        """Give the names under which the project's own code may be imported."""
        own: set[str] = set()
        for path in self.paths:
            pure = PurePosixPath(path)
            if pure.suffix == ".py":
                own |= {pure.stem, *pure.parent.parts}
        return own


def _leads_out(root: Path, path: str) -> bool:
    try:
        return not (root / path).resolve(strict=True).is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # leads nowhere, or in a circle
        return (root / path).is_symlink()
