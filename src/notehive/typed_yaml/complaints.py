"""Pydantic's errors in our words, with the remedy."""

import difflib
import json
from collections.abc import Iterable
from typing import Any, get_origin

from pydantic import BaseModel

from notehive.typed_yaml.document import Location
from notehive.typed_yaml.section import keys_of, section_of

# What a value should be, by the kind of pydantic's error.
SHOULD_BE = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "keys and values",
    "finite_number": "a number",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "list_type": "a list, like [a, b]",
    "literal_error": "{expected}",
    "model_type": "keys and values",
    "string_pattern_mismatch": "letters, digits and . _ -",
    "string_too_long": "text of at most {max_length} characters",
    "string_type": "text in quotes",
}


def location_of(error: Any) -> Location:
    """Where pydantic found it: keys and indices, as they stand in the file."""
    return tuple(part for part in error["loc"] if part != "[key]")


def explain(error: Any, model: type[BaseModel]) -> str:
    """Say one of pydantic's errors about a model, with the remedy: ``what; remedy``."""
    kind, location, given = error["type"], error["loc"], error["input"]
    if kind == "extra_forbidden":
        return f"unknown key; {suggestion(str(location[-1]), _keys_at(model, location[:-1]))}"
    if kind == "missing":
        return "is missing; add it"
    if given is None:
        return "is empty; give it a value or remove it"
    if kind == "too_short":
        return "needs at least one entry; add one, or remove the key for the default"
    if wanted := should_be(error):
        return f"should be {wanted}, not {show(given)}"
    return str(error["msg"]).removeprefix("Value error, ")


def should_be(error: Any) -> str:
    """What pydantic would have had instead; empty if that is not what the error is about."""
    wanted = SHOULD_BE.get(error["type"], "")
    return wanted.format(**error.get("ctx", {})).replace("'", '"')


def suggestion(word: str, known: Iterable[str]) -> str:
    """The remedy for a word that is not known: the one that was meant, or all of them."""
    known = list(known)
    close = difflib.get_close_matches(word, known, 1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"


def show(given: Any) -> str:
    """A value as it may stand in the file."""
    if isinstance(given, dict):
        return "keys and values"
    if isinstance(given, list):
        return "a list"
    if isinstance(given, str | bool):
        return json.dumps(given, ensure_ascii=False)
    return str(given)


def _keys_at(model: Any, location: Location) -> list[str]:
    """The keys that the section at this location may have."""
    follows = False  # a key that a person chose, or an index
    for part in location:
        if follows:
            follows = False
            continue
        annotation = keys_of(model)[str(part)].annotation
        follows = get_origin(annotation) in (dict, list)
        model = section_of(annotation)
    return list(keys_of(model))
