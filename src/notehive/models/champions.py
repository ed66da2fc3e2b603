"""Who was champion when: each change of a model's champion, kept as a tag of the registered model.

A tag for each: two changes at once write over nothing. What a version's own tags say is about its
last time as champion alone.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

KEY = "notehive.champion."  # and when, so that keys are in order of time
PROMOTED, ROLLED_BACK = "promoted", "rolled back"


class Change(NamedTuple):
    """A change of the champion."""

    how: str
    version: str  # that is champion since then
    before: str  # that was it until then; empty for none
    by: str
    why: str
    at: str  # ISO 8601


def now() -> str:
    """Give the time as changes have it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def tag(change: Change) -> tuple[str, str]:
    """Give the key and the value of the tag that keeps a change."""
    # MLflow takes neither : nor + in a key.
    when = datetime.fromisoformat(change.at).strftime("%Y%m%dT%H%M%S.%fZ")
    return f"{KEY}{when}", json.dumps(change._asdict())


def changes(tags: Mapping[str, str]) -> list[Change]:
    """Give the changes that tags keep, the oldest first. What is no change is left out."""
    found = [_read(tags[key]) for key in sorted(tags) if key.startswith(KEY)]
    return [change for change in found if change]


def earlier(told: Sequence[Change], champion: str) -> list[str]:
    """Give the versions that were champion before this one, the last of them first.

    A version that was rolled back is none of them, nor what came after a version that is champion
    again because somebody has moved the alias without a word.
    """
    line: list[str] = []
    for change in told:
        line = _up_to(line, change.before)
        rolled_back = change.how == ROLLED_BACK
        line = _up_to(line, change.version) if rolled_back else [*line, change.version]
    line = _up_to(line, champion)
    return line[-2::-1] if champion else line[::-1]


def _up_to(line: list[str], version: str) -> list[str]:
    """Give a line of champions up to the last time of this version, which ends it in any case."""
    if not version:
        return line
    if version not in line:
        return [*line, version]
    return line[: len(line) - line[::-1].index(version)]


def _read(value: str) -> Change | None:
    try:
        told: Any = json.loads(value)
        return Change(**{field: str(told[field]) for field in Change._fields})
    except (KeyError, TypeError, ValueError):  # somebody has written there by hand
        return None
