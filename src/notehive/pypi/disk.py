"""Files that are whole or not there."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

PART = "."  # begins the names of files that are not whole yet


def directory(path: Path) -> Path:
    """Make a directory of such files, and remove from it what an ended service left unfinished."""
    path.mkdir(parents=True, exist_ok=True)
    for part in path.glob(f"{PART}*"):
        part.unlink()
    return path


def replace(path: Path, data: bytes) -> None:
    """Write a file; whoever reads it meanwhile has the old one."""
    number, part = tempfile.mkstemp(dir=path.parent, prefix=PART)
    with os.fdopen(number, "wb") as file:
        file.write(data)
    Path(part).replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Give the object in a file, an empty one if there is no file."""
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return found
