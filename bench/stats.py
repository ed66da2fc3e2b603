"""What is said of a row of measured seconds."""

import random
import statistics
from collections.abc import Sequence
from typing import NamedTuple

RESAMPLES = 10_000


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which this share (0 to 1) lies, interpolated between neighbours."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def summary(values: Sequence[float]) -> dict[str, float]:
    """Give median, p95 and slowest, in seconds; nothing of no values."""
    if not values:
        return {}
    return {
        "median": round(statistics.median(values), 3),
        "p95": round(percentile(values, 0.95), 3),
        "slowest": round(max(values), 3),
    }


class Ratio(NamedTuple):
    """A ratio of two medians, and the interval that holds it with 95 % confidence."""

    ratio: float
    low: float
    high: float


def ratio(
    ours: Sequence[float], theirs: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES
) -> Ratio | None:
    """Give median(ours) / median(theirs); nothing if one of them has no values.

    The interval is a percentile bootstrap: both are drawn anew with replacement, independently.
    The same ``seed`` gives the same interval.
    """
    if not ours or not theirs:
        return None
    draw = random.Random(seed)
    found = [
        statistics.median(draw.choices(ours, k=len(ours)))
        / statistics.median(draw.choices(theirs, k=len(theirs)))
        for _ in range(resamples)
    ]
    middle = statistics.median(ours) / statistics.median(theirs)
    return Ratio(
        round(middle, 3), round(percentile(found, 0.025), 3), round(percentile(found, 0.975), 3)
    )
