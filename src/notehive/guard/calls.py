"""The kinds of calls that a client can be allowed."""

import json
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from notehive.guard.answers import CREATED, OBJECT, Shape, reduce
from notehive.guard.engine import Answer, Engine
from notehive.guard.refused import RefusedError
from notehive.guard.strict import Filters

log = logging.getLogger("notehive.guard")

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

    @abstractmethod
    async def answer(self, engine: Engine, asked: Asked) -> Answer:
        """Do it. Raises RefusedError, and EngineError where the engine does not do it."""


@dataclass(frozen=True)
class Read(Call):
    """A look at what is nobody's own; only what the shape has is told."""

    shape: Shape

    async def answer(self, engine: Engine, asked: Asked) -> Answer:
        """Ask, and reduce the answer."""
        found = await engine.ask("GET", asked.version + self.path, query=_query(asked.filters))
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


@dataclass(frozen=True)
class OfOurs(Call):
    """A call about objects that the client has made, which their labels say."""

    labels: Mapping[str, str]

    def owns(self, data: Any) -> bool:
        """Say whether an object, as the engine describes it, has the labels."""
        has = data["Spec"].get("Labels") or {}
        return all(has.get(key) == value for key, value in self.labels.items())

    async def find(self, engine: Engine, asked: Asked) -> Answer:
        """Look an object up. Raises RefusedError for one of somebody else."""
        found = await engine.ask("GET", f"{asked.version}{self.path}/{asked.name}")
        if not self.owns(found.data):
            raise RefusedError(f"{self.path}/{asked.name} has not the labels of what you made.")
        return found


class ListOurs(OfOurs):
    """The list of one's own objects: their names and labels."""

    known_filters = FILTERS

    async def answer(self, engine: Engine, asked: Asked) -> Answer:
        """Ask, and leave out what is not ours."""
        found = await engine.ask("GET", asked.version + self.path, query=_query(asked.filters))
        ours = [each for each in found.data or () if self.owns(each)]
        return Answer(found.status, reduce(ours, OBJECT))


class InspectOurs(OfOurs):
    """A look at one of one's own objects."""

    named = True

    async def answer(self, engine: Engine, asked: Asked) -> Answer:
        """Give its name and labels."""
        found = await self.find(engine, asked)
        return Answer(found.status, reduce(found.data, OBJECT))


class RemoveOurs(OfOurs):
    """The removal of one of one's own objects."""

    method = "DELETE"
    named = True

    async def answer(self, engine: Engine, asked: Asked) -> Answer:
        """Look whose it is, and remove it by its full id."""
        found = await self.find(engine, asked)
        done = await engine.ask("DELETE", f"{asked.version}{self.path}/{found.data['ID']}")
        log.info("removed %s %s", self.path, found.data["Spec"]["Name"])
        return Answer(done.status)


@dataclass(frozen=True)
class Create(Call):
    """The making of an object."""

    method = "POST"
    has_body = True

    @abstractmethod
    async def approve(self, engine: Engine, asked: Asked) -> Mapping[str, Any]:
        """Give the body that is sent, made anew from what was checked. Raises RefusedError."""

    async def answer(self, engine: Engine, asked: Asked) -> Answer:
        """Check and make it."""
        body = await self.approve(engine, asked)
        done = await engine.ask("POST", asked.version + self.path, body=body)
        log.info("made %s %s", self.path, body["Name"])
        return Answer(done.status, reduce(done.data, CREATED))


def _query(filters: Filters) -> str:
    return urlencode({"filters": json.dumps(filters)}) if filters else ""
