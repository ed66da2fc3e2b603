"""What the index is made of, and whose packages a request means."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from notehive.gate.asker import Asker
from notehive.pypi.cache import Cache
from notehive.pypi.shelf import Shelf
from notehive.pypi.upstream import Upstream
from notehive.settings import EVERYONE

ASKER = web.RequestKey("asker", Asker)


@dataclass(frozen=True)
class Index:
    """The groups of the settings, their packages, and the index upstream."""

    groups: Collection[str]
    shelf: Shelf
    upstream: Upstream
    cache: Cache
    incoming: Path  # where uploads arrive, on the disk of the shelf

    def places(self, request: web.Request) -> list[str]:
        """Give the groups whose packages are meant, in their order."""
        asker = request[ASKER]
        if group := request.match_info.get("group"):
            if group not in self.groups or not asker.sees(group):
                raise web.HTTPNotFound
            return [group]
        # Not of groups that one only reads: nobody outside of one's own groups puts something in
        # the place of what is upstream. What belongs to everybody comes last.
        return sorted(asker.edits, key=lambda name: (name == EVERYONE, name))

    def changed(self, request: web.Request) -> str:
        """Give the group whose packages are to be changed."""
        (group,) = self.places(request)
        if not request[ASKER].changes(group):
            raise web.HTTPForbidden(text=f"{group}: you are no member of this group\n")
        return group
