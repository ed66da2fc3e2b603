"""What stands beside the figures of each benchmark: where, when and with what they were taken."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.site import ROOT, run

RESULTS = Path(__file__).parent / "results"


def engine() -> str:
    """Give the version of the engine, or nothing if none answers."""
    return run("docker", "version", "--format", "{{.Server.Version}}", check=False).stdout.strip()


class Begun(NamedTuple):
    """What is noted before the measuring: files may be edited while it goes on."""

    commit: str
    load: float

    @classmethod
    def now(cls) -> "Begun":
        """Note it."""
        return cls(commit(), os.getloadavg()[0])


def circumstances(command: str, begun: Begun) -> dict[str, Any]:
    """Give command, commit, time, machine and loads, when the measuring has ended."""
    return {
        "command": command,
        "commit": begun.commit,
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": {
            "cores": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "kernel": platform.release(),
            "docker": engine(),
        },
        "load_before": round(begun.load, 2),
        "load_after": round(os.getloadavg()[0], 2),
    }


def commit() -> str:
    """Give the commit of this clone, and whether files that it keeps differ from it."""
    head = run("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD").stdout.strip()
    # Results and the tables made of them are what is being written.
    others = ("--", ".", ":!bench/results", ":!bench/README.md", ":!tests/long/results")
    status = ("status", "--porcelain", "--untracked-files=no")
    changed = run("git", "-C", str(ROOT), *status, *others).stdout
    return head + (" with changes" if changed else "")


def write(path: Path, result: Any) -> None:
    """Write a result as JSON."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
