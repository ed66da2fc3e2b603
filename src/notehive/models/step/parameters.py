"""The parameters of a notebook: what it is given, and whether that is of the type it expects."""

import ast
import json
from collections.abc import Mapping
from typing import Any

from notehive.models.step.failure import Failed
from notehive.models.step.job import Job

TYPES = {"bool": bool, "dict": dict, "float": float, "int": int, "list": list, "str": str}


def of_run(job: Job) -> dict[str, Any]:
    """Give what each notebook is told of its run; no parameter can have one of these names."""
    return {
        "run_dir": str(job.run_dir),
        "logical_date": job.logical_date,
        "data_interval_start": job.data_interval_start,
        "data_interval_end": job.data_interval_end,
    }


def check(notebook: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Raise Failed if a value is of another type than the notebook declares.

    A type is declared by an annotation, or else by the default. None goes for any type. A
    parameter that the notebook does not know belongs to another notebook of the pipeline.
    """
    for parameter, kind in declared(notebook).items():
        value = values.get(parameter)
        if value is not None and not fits(value, kind):
            raise Failed(f"parameter {parameter}: {json.dumps(value)[:80]} is no {kind.__name__}")


def fits(value: Any, kind: type) -> bool:
    """Whether a value of JSON can stand for a type; whole numbers can for fractions."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def declared(notebook: Mapping[str, Any]) -> dict[str, type]:
    """Give the types of what is assigned in the cell tagged `parameters` of a Python notebook."""
    spec = notebook.get("metadata", {}).get("kernelspec", {})
    if spec.get("language", "python") != "python":
        return {}
    for cell in notebook.get("cells", []):
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            try:
                body = ast.parse("".join(cell["source"])).body
            except SyntaxError:  # the kernel says so, with the line
                return {}
            return dict(filter(None, map(_declaration, body)))
    return {}


def _declaration(node: ast.stmt) -> tuple[str, type] | None:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
            # list[int] is a list; what is inside, or something | None, is the notebook's business.
            base = annotation.value if isinstance(annotation, ast.Subscript) else annotation
            kind = TYPES.get(base.id) if isinstance(base, ast.Name) else None
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            try:
                kind = type(ast.literal_eval(value))
            except ValueError:  # computed
                return None
        case _:
            return None
    return (name, kind) if kind is not None and kind in TYPES.values() else None
