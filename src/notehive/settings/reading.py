"""The only reader of settings.yml: a mistake is one line that says where it is."""

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_origin

import yaml
from pydantic import ValidationError

from notehive.errors import BadInput
from notehive.settings.contradictions import Location, contradictions
from notehive.settings.description import section_of
from notehive.settings.model import Settings


def load(path: Path) -> Settings:
    """Read, check and give the settings of a file.

    Raises BadInput with one line for the first mistake: file, line, key, remedy.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(
            f"{path}: no such file; restore it with `git checkout settings.yml` "
            "or name another with --settings"
        ) from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    return parse(text, str(path))


def parse(text: str, place: str = "settings.yml") -> Settings:
    """Check the text of a settings file; ``place`` is its name in errors."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        keys = list(_keys(root)) if root else []
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInput(f"{place}:{line}: not YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadInput(f"{place}:{line}: not YAML: {error.reason}") from None
    except ValueError as error:  # a date that no calendar has
        raise BadInput(f"{place}: not YAML: {error}") from None
    except RecursionError:
        raise BadInput(f"{place}: nested too deeply, or an alias (*) that holds itself") from None
    if data is None:
        return Settings()
    if not isinstance(data, dict):
        raise BadInput(f"{place}:1: should be keys and values, like `name: notehive`")
    lines: dict[Location, int] = {}
    for location, line, is_text in keys:
        key = ".".join(map(str, location))
        if location in lines:
            raise BadInput(f"{place}:{line}: {key}: written twice; keep one")
        if not is_text:
            raise BadInput(f"{place}:{line}: {key}: a key should be text; put it in quotes")
        lines[location] = line

    def line_of(location: Location) -> int:
        while location and location not in lines:
            location = location[:-1]
        return lines.get(location, 1)

    def fail(location: Location, message: str) -> BadInput:
        return BadInput(f"{place}:{line_of(location)}: {'.'.join(map(str, location))}: {message}")

    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        found = [
            (tuple(part for part in each["loc"] if part != "[key]"), each)
            for each in error.errors()
        ]
        # The first in the file; but a key that seems missing may just be misspelt.
        location, first = min(
            found, key=lambda each: (each[1]["type"] == "missing", line_of(each[0]))
        )
        raise fail(location, _explain(first)) from None
    for location, message in contradictions(settings):
        raise fail(location, message)
    return settings


def _keys(node: yaml.Node, at: Location = ()) -> Iterator[tuple[Location, int, bool]]:
    """Every key and item below a YAML node: where it is, its line, and whether it is text."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = (*at, str(key.value))
            is_text = key.tag in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
            yield path, key.start_mark.line + 1, is_text
            yield from _keys(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*at, index), value.start_mark.line + 1, True
            yield from _keys(value, (*at, index))


# What a value should be, by the kind of pydantic's error.
SHOULD_BE = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "keys and values",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than_equal": "at most {le:g}",
    "list_type": "a list, like [a, b]",
    "literal_error": "{expected}",
    "model_type": "keys and values",
    "string_pattern_mismatch": "letters, digits and . _ -",
    "string_type": "text in quotes",
}


def _explain(error: Any) -> str:
    """Say one of pydantic's errors in our words, with the remedy."""
    kind, location, given = error["type"], error["loc"], error["input"]
    if kind == "extra_forbidden":
        known = _keys_at(location[:-1])
        close = difflib.get_close_matches(str(location[-1]), known, 1)
        remedy = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
        return f"unknown key; {remedy}"
    if kind == "missing":
        return "is missing; add it"
    if given is None:
        return "is empty; give it a value or remove it"
    if kind == "too_short":
        return "needs at least one entry; add one, or remove the key for the default"
    if kind in SHOULD_BE:
        wanted = SHOULD_BE[kind].format(**error.get("ctx", {})).replace("'", '"')
        return f"should be {wanted}, not {_show(given)}"
    return str(error["msg"]).removeprefix("Value error, ")


def _show(given: Any) -> str:
    """A value as it may stand in the file."""
    if isinstance(given, dict):
        return "keys and values"
    if isinstance(given, list):
        return "a list"
    if isinstance(given, str | bool):
        return json.dumps(given, ensure_ascii=False)
    return str(given)


def _keys_at(location: Location) -> list[str]:
    """The keys that the section at this location may have."""
    model: Any = Settings
    name_follows = False  # a key that the operator chose
    for part in location:
        if name_follows:
            name_follows = False
            continue
        annotation = model.model_fields[part].annotation
        name_follows = get_origin(annotation) is dict
        model = section_of(annotation)
    return list(model.model_fields)
