"""The index as an HTTP server.

Whatever is below ``/simple/`` is found in the asker's own groups first, and upstream if no group
has the project: versions of the two are never mixed. Below ``/GROUP/simple/`` it is that group.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web
from packaging.utils import canonicalize_name

from notehive.gate.identity import Identity, identify
from notehive.pypi import html
from notehive.pypi import page as pages
from notehive.pypi.cache import Cache
from notehive.pypi.disk import read_json
from notehive.pypi.shelf import Shelf, TakenError
from notehive.pypi.upload import UploadError, receive
from notehive.pypi.upstream import Upstream, UpstreamError
from notehive.settings import EVERYONE

PROJECT = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# What is here is the asker's to see, and a page or a file of the same name may be another one
# tomorrow: nobody keeps it without asking.
KEEP = {"Cache-Control": "private, no-cache", "Vary": "Accept"}
ASKER = web.RequestKey("asker", Identity)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger("notehive.pypi")


@dataclass(frozen=True)
class Index:
    """What is served: to the groups of the settings, in answer to Nginx, who shows the key."""

    key: str
    groups: Collection[str]
    shelf: Shelf
    upstream: Upstream
    cache: Cache
    incoming: Path  # where uploads arrive, on the disk of the shelf

    def app(self) -> web.Application:
        """Give the aiohttp application."""
        app = web.Application(middlewares=[self.known])
        app.router.add_get("/health", health)
        for root in ("/simple", r"/{group:[a-z0-9-]+}/simple"):
            app.router.add_get(f"{root}/", self.projects)
            app.router.add_get(f"{root}/{{project}}", to_folder)
            app.router.add_get(f"{root}/{{project}}/", self.page)
            app.router.add_get(f"{root}/{{project}}/{{filename}}", self.file)
        app.router.add_get("/", to_projects)
        app.router.add_post(r"/{group}/", self.upload)
        app.router.add_delete(r"/{group}/simple/{project}/", self.remove)
        app.router.add_delete(r"/{group}/simple/{project}/{filename}", self.remove)
        return app

    @web.middleware
    async def known(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let those through whom the gate has named; say in words what did not work."""
        if request.path != "/health":
            asker = identify(request.headers, self.key)
            if asker is None:
                raise web.HTTPForbidden(text="only Nginx asks here, for whom the gate knows\n")
            request[ASKER] = asker
        try:
            return await handler(request)
        except UpstreamError as error:
            raise web.HTTPBadGateway(text=f"the upstream index: {error}\n") from None

    # What is there

    async def projects(self, request: web.Request) -> web.StreamResponse:
        """List what is the groups' own: what is upstream is found by its name."""
        names = {name for group in self.places(request) for name in self.shelf.projects(group)}
        return answer(request, pages.listing(sorted(names)))

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Tell the files of a project."""
        given = request.match_info["project"]
        name = canonicalize_name(given)
        if name != given:
            return moved(f"../{name}/")
        if not PROJECT.fullmatch(name):
            raise web.HTTPNotFound
        if group := self.shelf.owner(self.places(request), name):
            return answer(request, pages.beside(self.shelf.page(group, name), name))
        kept = await self.upstream.page(name)
        if kept is None:
            raise web.HTTPNotFound
        if pages.wants_json(request.headers.get(hdrs.ACCEPT, "")):
            return web.FileResponse(kept, headers={**KEEP, hdrs.CONTENT_TYPE: pages.JSON})
        return answer(request, await asyncio.to_thread(read_json, kept))

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Give a file of a project, or its metadata."""
        name, filename = request.match_info["project"], request.match_info["filename"]
        if not PROJECT.fullmatch(name) or not pages.FILENAME.fullmatch(filename):
            raise web.HTTPNotFound
        headers = {**KEEP, hdrs.CONTENT_TYPE: "application/octet-stream"}
        if group := self.shelf.owner(self.places(request), name):
            path = self.shelf.file(group, name, filename)
            if path is None:
                raise web.HTTPNotFound
            return web.FileResponse(path, headers=headers)
        source = await self.upstream.source(name, filename)
        if source is None:
            raise web.HTTPNotFound
        if path := self.cache.find(source):
            return web.FileResponse(path, headers=headers)
        download = self.cache.load(source)
        await download.beginning()
        if request.method == hdrs.METH_HEAD or hdrs.RANGE in request.headers:
            await download.whole()
            return web.FileResponse(self.cache.find(source) or download.path, headers=headers)
        response = web.StreamResponse(headers=headers)
        response.content_length = download.length
        await response.prepare(request)
        try:
            async for chunk in download.follow():
                await response.write(chunk)
        except UpstreamError:
            # Cut off, so that nobody takes it for whole.
            if request.transport:
                request.transport.abort()
        return response

    # What changes it

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Take a package of a group."""
        group = self.changed(request)
        try:
            given = await receive(request, self.incoming)
        except UploadError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        try:
            await self.require_free(group, given.project)
            self.shelf.add(group, given, request[ASKER].user)
        except TakenError as error:
            why = f"{error}: the file already exists, with something else in it; use a new version"
            raise web.HTTPConflict(text=f"{why}\n") from None
        finally:
            given.path.unlink(missing_ok=True)
        log.info("%s: %s by %s", group, given.filename, request[ASKER].user)
        return web.Response(text="ok\n")

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """Remove a file of a group's project or, without its name, all of the project."""
        group, name = self.changed(request), request.match_info["project"]
        filename = request.match_info.get("filename", "")
        if not PROJECT.fullmatch(name) or not self.shelf.owner([group], name):
            raise web.HTTPNotFound
        if filename and not self.shelf.file(group, name, filename):
            raise web.HTTPNotFound
        self.shelf.remove(group, name, filename)
        log.info("%s: %s removed by %s", group, filename or name, request[ASKER].user)
        return web.Response(status=204)

    # Rights

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

    async def require_free(self, group: str, project: str) -> None:
        """Refuse a new package for everyone that would be in the place of an upstream one."""
        if group != EVERYONE or self.shelf.owner([group], project):
            return
        if await self.upstream.page(project):
            raise web.HTTPForbidden(
                text=f"{project}: the upstream index has a package of this name, and everybody "
                "would get yours instead; choose another name, or a group\n"
            )


def answer(request: web.Request, page: pages.Page) -> web.Response:
    """Give a page in the form that the client wants."""
    if pages.wants_json(request.headers.get(hdrs.ACCEPT, "")):
        return web.json_response(page, headers=KEEP, content_type=pages.JSON)
    return web.Response(text=html.write(page), content_type="text/html", headers=KEEP)


async def to_projects(_: web.Request) -> web.StreamResponse:
    """Lead from the root to what is there."""
    return moved("simple/")


async def to_folder(request: web.Request) -> web.StreamResponse:
    """Lead to a project's page: links on it are relative."""
    return moved(f"{canonicalize_name(request.match_info['project'])}/")


def moved(location: str) -> web.Response:
    """Lead to another path, seen from this one: the site has us below another root."""
    return web.Response(status=301, headers={hdrs.LOCATION: location})


async def health(_: web.Request) -> web.Response:
    """Answer the health check."""
    return web.Response(text="ok\n")
