"""Imports of what is neither in the image nor in the project nor asked for.

Such a module is in the home of its author, where `pip install` put it, and nowhere else. What is
in the image, the Python that this runs in says: the command starts it without the home's packages.
"""

import ast
import site
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from notehive.models.checks import requirements
from notehive.models.checks.python import Piece
from notehive.models.checks.subject import Subject
from notehive.models.problem import Problem

DAGS = "dags/"  # what is there runs in Airflow, and not in the project's image
GUARDS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def check(subject: Subject) -> Iterator[Problem]:
    """Give the imports that would fail in the project's image."""
    own = subject.modules()
    asked = requirements.required(subject.text(requirements.FILE))
    missing = [
        (piece, node, module)
        for piece in subject.pieces
        if not piece.path.startswith(DAGS)
        for node, module in imported(piece)
        if module not in own and not in_image(module)
    ]
    if not missing:
        return
    brought, unknown = _brought_by(asked, {module for _, _, module in missing})
    for piece, node, module in missing:
        # Which modules a package has that is not installed here, only its name can tell.
        if module in brought or (unknown and not _in_home(module)):
            continue
        where = _in_home(module)
        only = f", which only your home has ({where})" if where else ""
        remedy = f"add {where.split()[0] if where else 'its package'} to {requirements.FILE}"
        what = f"imports {module}{only or ', which the image lacks'}"
        yield Problem(piece.path, piece.place(node), what, remedy)


def imported(piece: Piece) -> Iterator[tuple[ast.stmt, str]]:
    """Give the first name of each module that code imports, unless it can do without."""
    optional = {
        inner
        for node in piece.nodes()
        if isinstance(node, ast.Try) and any(map(_catches, node.handlers))
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in piece.nodes():
        if node in optional:
            continue
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield node, alias.name.partition(".")[0]
            case ast.ImportFrom(module=str(module), level=0):
                yield node, module.partition(".")[0]


def _catches(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return caught is None or any(isinstance(n, ast.Name) and n.id in GUARDS for n in names)


@cache
def in_image(module: str) -> bool:
    """Whether this Python has a module without what is in the home. Imports nothing."""
    if module in sys.stdlib_module_names or module in sys.builtin_module_names:
        return True
    path = [folder for folder in sys.path if folder and folder != _home()]
    return PathFinder.find_spec(module, path) is not None


def _home() -> str:
    return site.getusersitepackages()


def _brought_by(asked: Iterable[Requirement], wanted: set[str]) -> tuple[set[str], bool]:
    """Give the modules that the requirements bring, and whether some may bring others."""
    installed = {canonicalize_name(each.name): each for each in _installed()}
    brought: set[str] = set()
    unknown = False
    for each in asked:
        name = canonicalize_name(each.name)
        modules = _modules(installed[name]) if name in installed else {name.replace("-", "_")}
        brought |= {module for module in wanted if module.lower() in {m.lower() for m in modules}}
        unknown = unknown or (name not in installed and not modules & {w.lower() for w in wanted})
    return brought, unknown


@cache
def _installed() -> list[Distribution]:
    """What is installed here, in the home as well."""
    path = dict.fromkeys([*sys.path, _home()])
    return [each for each in distributions(path=list(path)) if each.metadata["Name"]]


def _modules(installed: Distribution) -> set[str]:
    """Give the modules that a distribution has."""
    if said := installed.read_text("top_level.txt"):
        return set(said.split())
    first = {file.parts[0] for file in installed.files or () if file.suffix == ".py"}
    return {part.removesuffix(".py") for part in first}


@cache
def _in_home(module: str) -> str:
    """Give the package of the home that has a module, with its version; empty if none has."""
    for each in distributions(path=[_home()]):
        if module in _modules(each):
            return f"{each.metadata['Name']} {each.version}"
    return ""
