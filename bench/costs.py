"""What the measured runs of a notebook come to."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench import stats
from bench.chain import Chain
from bench.ways import Times


def of_runs(found: Mapping[str, Sequence[Times]]) -> dict[str, Any]:
    """Give the figures of each way, and what a job takes beside the others."""
    total = {name: [each.total for each in times] for name, times in found.items()}
    above = [ours - bare for ours, bare in zip(total["job"], total["docker run"], strict=True)]
    return {
        "job_above_docker_run": stats.summary(above),
        "job_to_papermill": compared(total, "job", "papermill"),
        "docker_run_to_papermill": compared(total, "docker run", "papermill"),
        "seconds": {name: summary(times) for name, times in found.items()},
    }


def of_chains(found: Mapping[str, Sequence[Chain]]) -> dict[str, Any]:
    """Give the figures of both Airflows."""
    total = {name: [each.total for each in times] for name, times in found.items()}
    return {
        "notehive_to_stock": compared(total, "notehive", "stock"),
        "seconds": {name: summary(times) for name, times in found.items()},
    }


def compared(
    seconds: Mapping[str, Sequence[float]], ours: str, theirs: str
) -> dict[str, float] | None:
    """Give the ratio of two medians, with its interval."""
    found = stats.ratio(seconds[ours], seconds[theirs])
    return found._asdict() if found else None


def summary(times: Sequence[Times] | Sequence[Chain]) -> dict[str, Any]:
    """Give the figures of each part of the runs, and all that they are made of."""
    parts = times[0]._fields
    found = {part: stats.summary([getattr(each, part) for each in times]) for part in parts}
    return {**found, "each": [each._asdict() for each in times]}
