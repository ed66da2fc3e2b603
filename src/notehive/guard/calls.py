"""The kinds of calls that a client can be allowed."""

import json
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from notehive.guard.answers import Shape, reduce
from notehive.guard.engine import Answer, Engine, Stream
from notehive.guard.strict import Filters, parse_filters

# Before 1.41 the engine ignores limits of processes and dropped capabilities.
VERSION = r"/v1\.(?:4[1-9]|[5-9][0-9])"
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}"
FILTERS = frozenset({"desired-state", "id", "label", "name", "node", "service"})


@dataclass(frozen=True)
class Asked:
    """A request, read strictly: what the parts of its path and its query and body say."""

    version: str  # the path's beginning, like ``/v1.41``
    name: str  # the name or id at the path's end, where there is one
    filters: Filters
    body: Any


@dataclass(frozen=True)
class Call(ABC):
    """One method and path."""

    path: str  # without version, and without the name of an object

    method = "GET"
    named = False  # whether the path ends in a name or id
    known_filters = frozenset[str]()
    has_body = False

    def match(self, method: str, path: str) -> re.Match[str] | None:
        """Say whether this is the call: its groups are ``version`` and ``name``."""
        if method != self.method:
            return None
        tail = f"/(?P<name>{NAME})" if self.named else "(?P<name>)"
        return re.fullmatch(f"(?P<version>{VERSION}){re.escape(self.path)}{tail}", path)

    def read_query(self, query: str) -> Filters:
        """Take what the query asks for. Raises MalformedError."""
        return parse_filters(query, self.known_filters)

    @abstractmethod
    async def answer(self, engine: Engine, asked: Asked) -> Answer | Stream:
        """Do it. Raises RefusedError, and EngineError where the engine does not do it."""


@dataclass(frozen=True)
class Read(Call):
    """A look at what is nobody's own; only what the shape has is told."""

    shape: Shape

    async def answer(self, engine: Engine, asked: Asked) -> Answer:
        """Ask, and reduce the answer."""
        found = await engine.ask("GET", asked.version + self.path, query=encoded(asked.filters))
        return Answer(found.status, reduce(found.data, self.shape))


@dataclass(frozen=True)
class ReadVersion(Read):
    """The engine's version, which clients ask for before they know one to speak."""

    def match(self, method: str, path: str) -> re.Match[str] | None:
        """The path has no version, and no name."""
        wanted = f"(?P<version>){re.escape(self.path)}(?P<name>)"
        return re.fullmatch(wanted, path) if method == self.method else None


@dataclass(frozen=True)
class ReadMany(Read):
    """A look at a list."""

    known_filters = FILTERS


def encoded(filters: Filters) -> str:
    """Give the query that says these filters."""
    return urlencode({"filters": json.dumps(filters)}) if filters else ""
