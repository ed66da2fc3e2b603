"""Python code, as the files and the cells of a project hold it."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from notehive.models.checks.notebook import Cell
from notehive.models.problem import Problem

# Magics whose cell is run as Python all the same.
TRANSPARENT = {"capture", "prun", "time", "timeit"}


@dataclass(frozen=True)
class Piece:
    """A file or a cell of Python."""

    path: str
    cell: str  # its place in a notebook; empty for a file
    tree: ast.Module

    def place(self, node: ast.AST) -> str:
        """Give what problems call the place of a node."""
        return self.cell or f"line {getattr(node, 'lineno', 1)}"

    def nodes(self) -> Iterator[ast.AST]:
        """Give every node, those of the code inside of cell magics included."""
        return _walk(self.tree)


def of_file(path: str, text: str) -> Piece | Problem:
    """Give a file as Python, or what keeps it from being that."""
    found = _parse(text)
    if isinstance(found, _Wrong):
        what = f"is not Python: {found.what}"
        return Problem(path, f"line {found.line}", what, "correct it")
    return Piece(path, "", found)


def of_cell(path: str, cell: Cell) -> Piece | Problem:
    """Give a cell as the Python that IPython would run, or what keeps it from being that."""
    # A third of a second, so it is loaded late.
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        found = _parse(TransformerManager().transform_cell(cell.source))
    except SyntaxError as error:
        found = _Wrong(error.lineno or 1, error.msg)
    if isinstance(found, _Wrong):
        what = f"is not Python in its line {found.line}: {found.what}"
        return Problem(path, cell.place, what, "correct it")
    return Piece(path, cell.place, found)


@dataclass(frozen=True)
class _Wrong:
    line: int
    what: str


def _parse(text: str) -> ast.Module | _Wrong:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        return _Wrong(error.lineno or 1, error.msg)
    except (ValueError, RecursionError, MemoryError) as error:  # a null byte, brackets in brackets
        return _Wrong(1, str(error) or "it is nested too deeply")


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        yield node
        match node:
            case ast.Call(
                func=ast.Attribute(attr="run_cell_magic"),
                args=[ast.Constant(value=str(name)), _, ast.Constant(value=str(body))],
            ) if name in TRANSPARENT:
                inner = _parse(body)
                if isinstance(inner, ast.Module):
                    yield from _walk(inner)
