"""YAML read strictly: each key once, each key text, and the line of each is known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import yaml

Location = tuple[str | int, ...]
# Keys and items of a document, those that aliases (*) repeat included: a few lines of aliases of
# aliases would hold billions.
MOST_ENTRIES = 20_000


class Mistake(ValueError):  # noqa: N818 - it is a person's
    """What is wrong with a document: where, as far as that is known, and what."""

    def __init__(self, message: str, line: int | None = None, location: Location = ()) -> None:
        super().__init__(message)
        self.message, self.line, self.location = message, line, location


@dataclass(frozen=True)
class Document:
    """What a text says, and on which line it says it."""

    data: Any
    lines: Mapping[Location, int]

    def known(self, location: Location) -> Location:
        """Give the location itself, or the closest one around it that is written in the text."""
        while location and location not in self.lines:
            location = location[:-1]
        return location

    def line_of(self, location: Location) -> int:
        """Give the line of a key or item, or of the closest one around it."""
        return self.lines.get(self.known(location), 1)


def read(text: str, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> Document:
    """Read a text with one of PyYAML's safe loaders. Raises Mistake; never anything else."""
    try:
        parser = loader(text)
        root = parser.get_single_node()
        entries = list(islice(_entries(root), MOST_ENTRIES + 1)) if root else []
        if len(entries) > MOST_ENTRIES:
            raise Mistake(f"holds more than {MOST_ENTRIES} keys and items; write less")
        data = parser.construct_document(root) if root else None
    except Mistake:
        raise
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Mistake(f"not YAML: {error.problem}", line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Mistake(f"not YAML: {error.reason}", line) from None
    except (ValueError, AttributeError, LookupError, TypeError) as error:
        # A date that no calendar has, or a value that is not what its own tag (!!int x) says.
        raise Mistake(f"not YAML: {error}") from None
    except RecursionError:
        raise Mistake("nested too deeply, or an alias (*) that holds itself") from None
    lines: dict[Location, int] = {}
    for location, line, is_text in entries:
        if location in lines:
            raise Mistake("written twice; keep one", line, location)
        if not is_text:
            raise Mistake("a key should be text; put it in quotes", line, location)
        lines[location] = line
    return Document(data, lines)


def _entries(node: yaml.Node, at: Location = ()) -> Iterator[tuple[Location, int, bool]]:
    """Every key and item below a YAML node: where it is, its line, and whether it is text."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = (*at, str(key.value))
            is_text = key.tag in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
            yield path, key.start_mark.line + 1, is_text
            yield from _entries(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*at, index), value.start_mark.line + 1, True
            yield from _entries(value, (*at, index))
