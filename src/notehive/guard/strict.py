"""Requests read so strictly that the engine cannot take them for something else.

Go's decoder of JSON takes the last of two equal keys and does not mind capitals, Python's guesses
the encoding; a query is read in as many ways. What could be read in two ways is refused.
"""

import json
from collections.abc import Set
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from notehive.guard.refused import MalformedError

MOST_FIELDS = 8  # of a query

Filters = dict[str, list[str]]


def parse_json(raw: bytes) -> Any:
    """Give what a body in JSON says. Raises MalformedError."""
    try:
        data = json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_no_number)
        json.dumps(data, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"The body is not plain JSON: {error}.") from None
    return data


def parse_filters(query: str, known: Set[str]) -> Filters:
    """Give the filters of a listing, whose query may hold nothing else.

    ``known`` are the names that filters may have. Raises MalformedError.
    """
    if not query:
        return {}
    try:
        fields = parse_qsl(
            query,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError as error:
        raise MalformedError(f"The query is not plain: {error}.") from None
    if [key for key, _ in fields] != ["filters"]:
        raise MalformedError("The query holds something else than filters, or nothing, or more.")
    filters = parse_json(fields[0][1].encode())
    if not isinstance(filters, dict):
        raise MalformedError("The filters are not an object.")
    for key, values in filters.items():
        if key not in known:
            raise MalformedError(f"The filter {key!r} is not among {', '.join(sorted(known))}.")
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise MalformedError(f"The filter {key} is not a list of texts.")
    return filters


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")
