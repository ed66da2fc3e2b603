"""What code of a project names that is only where its author works."""

import ast
import re
from collections.abc import Iterator

from notehive.models.checks.subject import Subject
from notehive.models.problem import Problem

# At the beginning of a text, or after what a shell command says before it. What begins with a dot
# there, like ~/.cache, programs make themselves.
OF_A_HOME = re.compile(
    r"(?:^|[\s='\":])((?:/home|/Users)/[\w.-]+|~|[A-Za-z]:[\\/]+Users[\\/]+[\w.-]+)"
    r"(?=[\\/]+[^.\\/]|[\\/]?$)"
)
REMEDY = "use run_dir for what steps share, or a path in the project"


def check(subject: Subject) -> Iterator[Problem]:
    """Give the paths in somebody's home that code has."""
    for piece in subject.pieces:
        documentation = set(_documentation(piece.tree))
        for node in piece.nodes():
            match node:
                case ast.Constant(value=str(text)) if node not in documentation:
                    if match := OF_A_HOME.search(text):
                        what = f"names a path in the home of its author, {match[1]}"
                        yield Problem(piece.path, piece.place(node), what, REMEDY)


def _documentation(tree: ast.AST) -> Iterator[ast.expr]:
    """Text that stands alone: docstrings, and notes that are written as text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
