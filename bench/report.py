"""bench/results/spawn.json as tables in Markdown: for the terminal, and for bench/README.md."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bench.result import RESULTS

JSON = Mapping[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a table whose columns line up."""
    every = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[n]) for row in every) for n in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in every
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def seconds(figures: JSON, key: str) -> str:
    """Give one figure in seconds, or a dash where nothing succeeded."""
    return f"{figures[key]:.2f} s" if key in figures else "-"


def ratio_to(measure: JSON, key: str) -> str:
    """Give Notehive's part of this row's median, with its interval."""
    if key not in (ratios := measure["ratio_to_result"]):
        return ""
    return ratio_words(ratios[key])


def ratio_words(found: JSON) -> str:
    """Give a ratio with its interval."""
    return f"{found['ratio']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def serial(measure: JSON, titles: Mapping[str, str]) -> str:
    """One start at a time."""
    head = [
        "one start",
        "to a result, median",
        "p95",
        "of it to ready",
        "failed",
        "Notehive's part",
    ]
    return table(
        head,
        [
            [
                titles[key],
                seconds(row["to_result"], "median"),
                seconds(row["to_result"], "p95"),
                seconds(row["to_ready"], "median"),
                f"{row['failed']} of {row['tried']}",
                ratio_to(measure, key),
            ]
            for key, row in measure["rows"].items()
        ],
    )


def storm(measure: JSON, titles: Mapping[str, str], what: str) -> str:
    """Many starts at the same moment."""
    head = [what, "to a result, median", "slowest", "failed", "Notehive's part of the median"]
    return table(
        head,
        [
            [
                titles[key],
                seconds(row["to_result"], "median"),
                seconds(row["to_result"], "slowest"),
                f"{row['failed']} of {row['tried']}",
                ratio_to(measure, key),
            ]
            for key, row in measure["rows"].items()
        ],
    )


def floor(measure: JSON, figures: JSON) -> str:
    """No hub at all, and how far above it Notehive is."""
    head = [
        "no hub",
        "task runs, median",
        "Lab answers, median",
        "slowest",
        "Notehive is above it by",
    ]
    rows = []
    for kind, title, peer, statistic in (
        ("once", "one service", "serial", "median"),
        ("storm", "services at once", "storm", "slowest"),
    ):
        found = measure[kind]
        rows.append(
            [
                title,
                seconds(found["to_running"], "median"),
                seconds(found["to_answer"], "median"),
                seconds(found["to_answer"], "slowest"),
                distance(found["to_answer"], figures.get(peer, {}), statistic),
            ]
        )
    return table(head, rows)


def distance(bottom: JSON, measure: JSON, statistic: str) -> str:
    """Give the seconds between the floor and the moment in which Notehive's server is ready."""
    ours = measure.get("rows", {}).get("notehive", {}).get("to_ready", {})
    if statistic not in ours or statistic not in bottom:
        return ""
    return f"{ours[statistic] - bottom[statistic]:+.2f} s ({statistic}, to ready)"


def markdown(result: JSON) -> str:
    """Give all tables of a result, and where they come from."""
    figures, titles, asked = result["figures"], result["rows"], result["asked"]
    parts = []
    if "serial" in figures:
        parts.append(serial(figures["serial"], titles))
    if "storm" in figures:
        parts.append(storm(figures["storm"], titles, f"{asked['users']} starts at once"))
    if "restart" in figures:
        parts.append(storm(figures["restart"], titles, f"{asked['users']} restarts at once"))
    if "floor" in figures:
        parts.append(floor(figures["floor"], figures))
    machine, versions = result["machine"], result["versions"]
    parts.append(
        f"`{result['command']}` at commit {result['commit']}, {result['at']}, on "
        f"{machine['cores']} cores, load {result['load_before']:.2f} before; "
        f"Docker {machine['docker']}, "
        + ", ".join(f"{name} {version}" for name, version in versions["notehive"].items())
        + "."
    )
    return "\n\n".join(parts)


def last(name: str, tables: Callable[[JSON], str]) -> str:
    """Give the tables of the last result of a benchmark that was kept."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return "None is kept yet."
    return tables(json.loads(path.read_text(encoding="utf-8")))
