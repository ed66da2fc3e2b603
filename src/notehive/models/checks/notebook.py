"""A notebook of a project, read from its file."""

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from notehive.models.problem import Problem

FORMAT = 4
MIB = 1024 * 1024
# Beyond this a notebook is outputs, and not worth being parsed.
MOST_BYTES = 32 * MIB
REPAIR = "open it in JupyterLab, repair it and save it, or restore it with git"


@dataclass(frozen=True)
class Cell:
    """A cell: its number from 1, as people count, and what it holds."""

    number: int
    kind: str  # code, markdown or raw
    source: str
    tags: tuple[str, ...]
    outputs: tuple[dict[str, Any], ...]

    @property
    def place(self) -> str:
        """What problems call it."""
        return f"cell {self.number}"


@dataclass(frozen=True)
class Notebook:
    """A notebook that nbformat calls valid."""

    path: str
    cells: tuple[Cell, ...]
    metadata: dict[str, Any]

    @cached_property
    def code(self) -> list[Cell]:
        """The cells of code."""
        return [cell for cell in self.cells if cell.kind == "code"]

    @property
    def kernel(self) -> str:
        """The name of its kernel; empty if it names none."""
        spec = self.metadata.get("kernelspec", {})
        return str(spec.get("name", "")) if isinstance(spec, dict) else ""

    @property
    def is_python(self) -> bool:
        """Whether its code is Python, as far as it says."""
        spec, info = (self.metadata.get(key) or {} for key in ("kernelspec", "language_info"))
        language = spec.get("language") or info.get("name") or "python"
        return bool(language == "python")

    @property
    def parameters(self) -> list[Cell]:
        """The cells with papermill's tag `parameters`."""
        return [cell for cell in self.code if "parameters" in cell.tags]


def read(root: Path, path: str) -> Notebook | Problem:
    """Give the notebook at a path in the project, or what keeps it from being one."""
    try:
        size = (root / path).stat().st_size
        if size > MOST_BYTES:
            what = f"has {size // MIB} MiB, nearly all of it outputs"
            return Problem(path, "", what, "clear the outputs of all cells and save it")
        data = json.loads((root / path).read_text(encoding="utf-8"))
    except OSError as error:
        return Problem(path, "", f"cannot be read: {error.strerror}", "make it readable")
    except UnicodeDecodeError:
        return Problem(path, "", "is not UTF-8 text", REPAIR)
    except json.JSONDecodeError as error:
        return Problem(path, f"line {error.lineno}", f"is not JSON: {error.msg}", REPAIR)
    except (ValueError, RecursionError):  # a number of thousands of digits; brackets in brackets
        return Problem(path, "", "is not the JSON of a notebook", REPAIR)
    if problem := _invalid(path, data):
        return problem
    cells = tuple(_cell(number, cell) for number, cell in enumerate(data["cells"], 1))
    return Notebook(path, cells, data["metadata"])


def _invalid(path: str, data: Any) -> Problem | None:
    import nbformat
    from nbformat.validator import iter_validate

    if not isinstance(data, dict) or not isinstance(data.get("cells"), list):
        return Problem(path, "", "is not a notebook: it has no cells", REPAIR)
    major, minor = data.get("nbformat"), data.get("nbformat_minor")
    newest = nbformat.current_nbformat_minor
    if (
        major != FORMAT
        or not isinstance(minor, int)
        or isinstance(minor, bool)
        or not 0 <= minor <= newest
    ):
        what = f"is a notebook of format {major}.{minor}, not of {FORMAT}.0 to {FORMAT}.{newest}"
        return Problem(path, "", what, "open it in JupyterLab and save it")
    if minor >= 5:  # JupyterLab gives a cell without an identity one
        for number, cell in enumerate(data["cells"], 1):
            if isinstance(cell, dict):
                cell.setdefault("id", f"cell-{number}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        error = next(iter(iter_validate(data, version=major, version_minor=minor)), None)
    if error is None:
        return None
    where = list(error.absolute_path)
    in_cell = len(where) > 1 and where[0] == "cells" and isinstance(where[1], int)
    place = f"cell {where[1] + 1}" if in_cell else ""
    said = str(error.message).splitlines()[0]
    return Problem(path, place, f"is not valid: {said[:120]}", REPAIR)


def _cell(number: int, data: dict[str, Any]) -> Cell:
    return Cell(
        number,
        data["cell_type"],
        text(data["source"]),
        tuple(data["metadata"].get("tags", ())),
        tuple(data.get("outputs", ())),
    )


def text(value: str | list[str]) -> str:
    """Give text that a notebook may hold as a list of lines."""
    return value if isinstance(value, str) else "".join(value)


def texts(output: dict[str, Any]) -> Iterator[str]:
    """Give what a person reads of an output: not the bytes of its images."""
    for key in ("text", "traceback"):
        if isinstance(output.get(key), str | list):
            yield text(output[key])
    for kind, value in output.get("data", {}).items():
        if kind.startswith("text/"):
            yield text(value)
