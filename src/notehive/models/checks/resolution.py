"""Whether the requirements of a project can be had. This asks the package index."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from notehive.models.checks.requirements import FILE, lines, parse
from notehive.models.problem import Problem

# Runs a command in the image's environment: gives its exit code and what it said.
Runner = Callable[[list[str]], tuple[int, str]]


def command(requirements: Path) -> list[str]:
    """Give the command that finds out: what pip would install into this Python, and nothing more.

    Wheels only, as in a build: what else there is would be run to be looked at.
    """
    pip = [sys.executable, "-sP", "-m", "pip", "--disable-pip-version-check", "--no-input"]
    options = ["--quiet", "--dry-run", "--only-binary=:all:", "--requirement", str(requirements)]
    return [*pip, "install", *options]


def check(directory: Path, run: Runner) -> Iterator[Problem]:
    """Give the requirements that cannot be had; `requirements` must have found no problem."""
    path = directory / FILE
    if not path.is_file():
        return
    text = path.read_text(encoding="utf-8")
    code, said = run(command(path))
    if code == 0:
        return
    said = said.strip() or f"pip ended with {code} and said nothing"
    error = [*said.splitlines(), *re.findall(r"^ERROR: (.+)$", said, re.M)][-1]
    named = [number for number, line in lines(text) if _names(error, line)]
    place = f"line {named[0]}" if named else ""
    yield Problem(FILE, place, error, "name packages and versions that the index has together")


def _names(error: str, line: str) -> bool:
    """Whether an error of pip is about the requirement of a line."""
    found = parse(line)
    if isinstance(found, str):
        return False
    words = re.findall(r"[A-Za-z0-9][A-Za-z0-9._-]*", error)
    name = canonicalize_name(found.name)
    return any(canonicalize_name(word) == name for word in words)
