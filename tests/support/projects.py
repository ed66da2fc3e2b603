"""Small model projects, for tests: a good one, and what is changed to make it a bad one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MODEL = """\
name: churn
image: datascience
size: small
pipelines:
  train:
    parameters: {test_size: 0.2}
    steps: [prepare.ipynb, train.ipynb]
"""
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def cell(source: str, *tags: str, outputs: Any = (), kind: str = "code") -> dict[str, Any]:
    """Give a cell as the file of a notebook has it."""
    made: dict[str, Any] = {"cell_type": kind, "metadata": {"tags": list(tags)}, "source": source}
    if kind == "code":
        made |= {"outputs": list(outputs), "execution_count": None}
    return made


def notebook(*cells: dict[str, Any], metadata: Any = None, minor: int = 5) -> str:
    """Give the text of a notebook's file."""
    named = [{"id": f"c{number}"} | each for number, each in enumerate(cells)]
    return json.dumps(
        {
            "cells": named if minor >= 5 else cells,
            "metadata": KERNEL if metadata is None else metadata,
            "nbformat": 4,
            "nbformat_minor": minor,
        }
    )


def printed(text: str) -> dict[str, Any]:
    """Give an output of a cell: what it printed."""
    return {"output_type": "stream", "name": "stdout", "text": text}


PARAMETERS = cell("run_dir = 'run'\ntest_size = 0.5", "parameters")
GOOD: dict[str, str | bytes] = {
    "model.yml": MODEL,
    "prepare.ipynb": notebook(PARAMETERS, cell("import json")),
    "train.ipynb": notebook(PARAMETERS, cell("print(test_size)")),
}


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a directory; give the directory."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            path.write_bytes(content)
    return root
