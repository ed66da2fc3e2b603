"""What steps of a run tell each other, and those who come after: JSON in the run's `.notehive`."""

import json
from pathlib import Path
from typing import Any

FOLDER = ".notehive"
DATA = "data"  # versions of the data sets that the run has seen, by name


def read(run_dir: Path, name: str) -> dict[str, Any]:
    """Give what was told under a name; nothing if nothing was."""
    try:
        found: dict[str, Any] = json.loads(_file(run_dir, name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def write(run_dir: Path, name: str, told: dict[str, Any]) -> None:
    """Tell something: all of it, or nothing if the step is ended meanwhile."""
    file = _file(run_dir, name)
    file.parent.mkdir(exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    part.replace(file)


def add_data(run_dir: Path, name: str, version: str) -> None:
    """Tell which version of a data set the run has seen."""
    write(run_dir, DATA, {**read(run_dir, DATA), name: version})


def _file(run_dir: Path, name: str) -> Path:
    return run_dir / FOLDER / f"{name}.json"
