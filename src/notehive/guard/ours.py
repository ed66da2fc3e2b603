"""Calls about what the client has made itself, which labels say."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from notehive.guard.answers import OBJECT, Shape, reduce
from notehive.guard.calls import FILTERS, Asked, Call, encoded
from notehive.guard.engine import Answer, Engine
from notehive.guard.refused import RefusedError

log = logging.getLogger("notehive.guard")


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


@dataclass(frozen=True)
class ListOurs(OfOurs):
    """The list of one's own objects: their names and labels, or more."""

    shape: Shape = field(default_factory=lambda: OBJECT)

    known_filters = FILTERS

    async def answer(self, engine: Engine, asked: Asked) -> Answer:
        """Ask, and leave out what is not ours."""
        found = await engine.ask("GET", asked.version + self.path, query=encoded(asked.filters))
        ours = [each for each in found.data or () if self.owns(each)]
        return Answer(found.status, reduce(ours, self.shape))


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
