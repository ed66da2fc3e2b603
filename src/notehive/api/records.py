"""What has happened to a repository, one line of JSON each, in a file of its own."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def add(file: Path, **told: Any) -> None:
    """Add to a file what has happened now."""
    line = {"time": datetime.now(UTC).isoformat(timespec="seconds"), **told}
    with file.open("a", encoding="utf-8") as opened:
        opened.write(json.dumps(line) + "\n")  # in one piece: two lines never mix


def read(file: Path) -> list[dict[str, Any]]:
    """Give all that a file holds, the oldest first; nothing if it is not there."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]
