"""The memory limit of a job, where it ends what its steps do."""

from notehive.lab import cgroup


def reached() -> str:
    """Say that the limit was reached; nothing if no process of this container was killed for it."""
    if not cgroup.oom_kills():
        return ""
    limit = cgroup.memory_limit() / 2**30
    return f"the job's memory limit of {limit:.1f} GB was reached; choose a larger size"
