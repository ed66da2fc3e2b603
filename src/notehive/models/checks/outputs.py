"""Outputs that would make a repository, and every image, grow with each run."""

import json
from collections.abc import Iterator

from notehive.models.checks.notebook import MIB, Notebook
from notehive.models.checks.subject import Subject
from notehive.models.problem import Problem

MOST_OF_A_CELL = 1 * MIB
MOST_OF_A_NOTEBOOK = 10 * MIB
CLEAR = "clear it (Edit > Clear Cell Output) and save the notebook"
CLEAR_ALL = "clear them (Edit > Clear Outputs of All Cells) and save the notebook"


def check(subject: Subject) -> Iterator[Problem]:
    """Give the cells and notebooks whose outputs are huge."""
    for notebook in subject.notebooks.values():
        yield from _of(notebook)


def _of(notebook: Notebook) -> Iterator[Problem]:
    total = 0
    for cell in notebook.code:
        size = len(json.dumps(cell.outputs))
        total += size
        if size > MOST_OF_A_CELL:
            yield Problem(notebook.path, cell.place, f"has an output of {_show(size)}", CLEAR)
    if total > MOST_OF_A_NOTEBOOK:
        yield Problem(notebook.path, "", f"has outputs of {_show(total)} in all", CLEAR_ALL)


def _show(size: int) -> str:
    return f"{size / MIB:.1f} MiB"
