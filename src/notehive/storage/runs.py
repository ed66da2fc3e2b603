"""The directories of runs: what the steps of one share, and what they tell each other."""

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

PART = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")  # of a path
TOLD = ".notehive"  # where steps tell something, each in a file of its own name
MOST_BYTES = 64 * 1024
# Whose names these are runs as our own user, and could make them lead to anybody's files.
NO_LINK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Runs:
    """Makes them, and reads what is told. Raises OSError where the file system refuses."""

    def __init__(self, root: Path) -> None:
        self.root = root / "runs"
        _make(self.root)

    def path(self, group: str, model: str, run: str) -> Path:
        """Give the path of one, which may not be there; raises ValueError for an impossible one."""
        if not all(PART.fullmatch(part) for part in (group, model, run)):
            raise ValueError(f"runs/{group}/{model}/{run}: no name of a run's directory")
        return self.root / group / model / run

    def begin(self, group: str, model: str, run: str, what: Any) -> Any:
        """Make one unless it is there; give what it was begun with, now or before."""
        path = self.path(group, model, run)
        _make(path.parent.parent)
        _make(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
        # Beside the directory, where no step can change it: no other name has a dot.
        begun = path.with_suffix(".json")
        if not begun.exists():
            writing = path.with_suffix(".new")
            writing.write_text(json.dumps(what), encoding="utf-8")
            writing.replace(begun)
        return json.loads(begun.read_text(encoding="utf-8"))

    def told(self, group: str, model: str, run: str, step: str) -> dict[str, Any]:
        """Give what a step of a run has told; nothing if that is no JSON object."""
        path = self.path(group, model, run)
        if not PART.fullmatch(step):
            raise ValueError(f"{step}: no name of a step")
        try:
            said = json.loads(_read(path, TOLD, f"{step}.json"))
        except (OSError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}


def _make(path: Path) -> None:
    """Make a directory that a node passes through, and nobody else lists."""
    path.mkdir(mode=0o711, exist_ok=True)


def _read(path: Path, *parts: str) -> bytes:
    """Give a plain file's beginning; no part of its path may be a link."""
    descriptor = os.open(path, NO_LINK)
    for part in parts:
        outer = descriptor
        try:
            descriptor = os.open(part, NO_LINK, dir_fd=outer)
        finally:
            os.close(outer)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("no plain file")
        return file.read(MOST_BYTES)
