"""What the measured seconds come to: medians, failures, ratios."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from bench import stats
from bench.client import Attempt
from bench.floor import Times
from bench.measures import Attempts


def of_row(attempts: Sequence[Attempt], at_once: int = 1) -> dict[str, Any]:
    """Give the figures of one row, and all that they are made of.

    ``at_once``: how many started at the same moment; of each such group the slowest is named too.
    """
    good = [a for a in attempts if a.result is not None and a.ready is not None]
    figures: dict[str, Any] = {
        "tried": len(attempts),
        "failed": len(attempts) - len(good),
        "failures": Counter(a.failure for a in attempts if a.failure),
        "to_ready": stats.summary([a.ready for a in good if a.ready is not None]),
        "ready_to_result": stats.summary(
            [a.result - a.ready for a in good if a.result is not None and a.ready is not None]
        ),
        "to_result": stats.summary(results(attempts)),
    }
    if at_once > 1:
        groups = [attempts[n : n + at_once] for n in range(0, len(attempts), at_once)]
        figures["slowest_of_each"] = [max(results(group), default=None) for group in groups]
    return figures | {"attempts": [a._asdict() for a in attempts]}


def of_rows(attempts: Attempts, ours: str, at_once: int = 1) -> dict[str, Any]:
    """Give the figures of every row, and the ratio of ``ours`` to each of the others."""
    rows = {key: of_row(found, at_once) for key, found in attempts.items()}
    ratios = {
        key: found._asdict()
        for key in attempts
        if ours in attempts
        and key != ours
        and (found := stats.ratio(results(attempts[ours]), results(attempts[key])))
    }
    return {"rows": rows, "ratio_to_result": ratios}


def results(attempts: Sequence[Attempt]) -> list[float]:
    """Give the seconds to the first result of those that had one."""
    return [attempt.result for attempt in attempts if attempt.result is not None]


def of_floor(found: dict[str, Times]) -> dict[str, Any]:
    """Give the figures of the floor."""
    return {
        kind: {
            "tried": len(times),
            "failed": sum("answers" not in each for each in times),
            "to_running": stats.summary([t["running"] for t in times if "running" in t]),
            "to_answer": stats.summary([t["answers"] for t in times if "answers" in t]),
            "attempts": times,
        }
        for kind, times in found.items()
    }
