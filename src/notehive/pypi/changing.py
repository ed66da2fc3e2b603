"""What members of a group change: they add packages, and remove them."""

import logging
from dataclasses import dataclass

from aiohttp import web

from notehive.pypi.index import ASKER, Index
from notehive.pypi.shelf import TakenError
from notehive.pypi.upload import UploadError, receive
from notehive.settings import EVERYONE

log = logging.getLogger("notehive.pypi")


@dataclass(frozen=True)
class Changing:
    """The handlers of requests that change what a group has."""

    index: Index

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Take a package of a group."""
        index, group = self.index, self.index.changed(request)
        try:
            given = await receive(request, index.incoming)
        except UploadError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        try:
            await self._require_free(group, given.project)
            index.shelf.add(group, given, request[ASKER].user)
        except TakenError as error:
            why = f"{error}: the file already exists, with something else in it; use a new version"
            raise web.HTTPConflict(text=f"{why}\n") from None
        finally:
            given.path.unlink(missing_ok=True)
        log.info("%s: %s by %s", group, given.filename, request[ASKER].user)
        return web.Response(text="ok\n")

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """Remove a file of a group's project or, without its name, all of the project."""
        shelf, group = self.index.shelf, self.index.changed(request)
        name, filename = request.match_info["project"], request.match_info.get("filename", "")
        if name not in shelf.projects(group):
            raise web.HTTPNotFound
        files = [file["filename"] for file in shelf.page(group, name)["files"]]
        if filename and filename not in files:
            raise web.HTTPNotFound
        shelf.remove(group, name, filename)
        log.info("%s: %s removed by %s", group, filename or name, request[ASKER].user)
        return web.Response(status=204)

    async def _require_free(self, group: str, project: str) -> None:
        """Refuse a new package for everyone that would be in the place of an upstream one."""
        if group != EVERYONE or self.index.shelf.owner([group], project):
            return
        if await self.index.upstream.page(project):
            raise web.HTTPForbidden(
                text=f"{project}: the upstream index has a package of this name, and everybody "
                "would get yours instead; choose another name, or a group\n"
            )
