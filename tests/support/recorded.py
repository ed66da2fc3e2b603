"""What the kernel said of a node's containers at one moment, as files in a directory of a test."""

import json
import os
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).resolve().parents[1] / "recorded"


class Node:
    """A node that was recorded, or made by hand where the recording says so."""

    def __init__(self, name: str, directory: Path) -> None:
        told: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
        self.cgroup, self.proc = directory / "cgroup", directory / "proc"
        _write(self.cgroup, told["cgroup"])
        _write(self.proc, told["proc"])
        # Processes of one network namespace see the same file there, whatever its path.
        first, *others = told["network of the node"]
        for pid in others:
            file = self.proc / pid / "net/dev"
            file.parent.mkdir(parents=True)
            os.link(self.proc / first / "net/dev", file)


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
