"""What the kernel says of this container: memory, processes killed for it, CPU time.

The files are those of cgroup version 2 or 1. All is 0 where there is neither.
"""

from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
UNLIMITED = 2**60  # version 1 has a number near 2**63 for it


def oom_kills(root: Path = ROOT) -> int:
    """Count the processes of this container that were killed at its memory limit."""
    text = _read(root, "memory.events", "memory/memory.oom_control")
    counts = dict(line.split(maxsplit=1) for line in text.splitlines())
    return int(counts.get("oom_kill", 0))


def memory_limit(root: Path = ROOT) -> int:
    """Give the container's memory limit in bytes; 0 if it has none."""
    text = _read(root, "memory.max", "memory/memory.limit_in_bytes").strip()
    limit = int(text) if text.isdigit() else 0
    return limit if limit < UNLIMITED else 0


def cpu_seconds(root: Path = ROOT) -> float:
    """Give the CPU time that the container has used."""
    if text := _read(root, "cpu.stat"):
        return int(dict(line.split() for line in text.splitlines())["usage_usec"]) / 1e6
    return int(_read(root, "cpuacct/cpuacct.usage") or 0) / 1e9


def _read(root: Path, *names: str) -> str:
    for name in names:
        try:
            return (root / name).read_text()
        except OSError:
            continue
    return ""
