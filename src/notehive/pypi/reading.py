"""What is in the index: lists, pages and files.

A project is found in the groups that a request means or, if none of them has its name, upstream:
versions of the two are never mixed.
"""

import asyncio
import re
from dataclasses import dataclass

from aiohttp import hdrs, web
from packaging.utils import canonicalize_name

from notehive.pypi import html
from notehive.pypi import page as pages
from notehive.pypi.disk import read_json
from notehive.pypi.index import Index
from notehive.pypi.page import FILENAME, JSON, Page, Source
from notehive.pypi.upstream import UpstreamError

PROJECT = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# What is here is the asker's to see, and a page or a file of the same name may be another one
# tomorrow: nobody keeps it without asking.
KEEP = {"Cache-Control": "private, no-cache", "Vary": "Accept"}
AS_PAGE = {**KEEP, hdrs.CONTENT_TYPE: JSON}
AS_FILE = {**KEEP, hdrs.CONTENT_TYPE: "application/octet-stream"}


@dataclass(frozen=True)
class Reading:
    """The handlers of requests that change nothing."""

    index: Index

    async def projects(self, request: web.Request) -> web.StreamResponse:
        """List what is the groups' own: what is upstream is found by its name."""
        shelf = self.index.shelf
        names = {name for group in self.index.places(request) for name in shelf.projects(group)}
        return answer(request, pages.listing(sorted(names)))

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Tell the files of a project."""
        given = request.match_info["project"]
        name = canonicalize_name(given)
        if name != given:
            return moved(f"../{name}/")
        if not PROJECT.fullmatch(name):
            raise web.HTTPNotFound
        shelf = self.index.shelf
        if group := shelf.owner(self.index.places(request), name):
            return answer(request, pages.beside(shelf.page(group, name), name))
        kept = await self.index.upstream.page(name)
        if kept is None:
            raise web.HTTPNotFound
        if wants_json(request):
            return web.FileResponse(kept, headers=AS_PAGE)
        return answer(request, await asyncio.to_thread(read_json, kept))

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Give a file of a project, or its metadata."""
        name, filename = request.match_info["project"], request.match_info["filename"]
        if not PROJECT.fullmatch(name) or not FILENAME.fullmatch(filename):
            raise web.HTTPNotFound
        shelf = self.index.shelf
        if group := shelf.owner(self.index.places(request), name):
            path = shelf.file(group, name, filename)
            if path is None:
                raise web.HTTPNotFound
            return web.FileResponse(path, headers=AS_FILE)
        source = await self.index.upstream.source(name, filename)
        if source is None:
            raise web.HTTPNotFound
        return await self._of_upstream(request, source)

    async def _of_upstream(self, request: web.Request, source: Source) -> web.StreamResponse:
        """Give a file that is kept, or as it comes."""
        cache = self.index.cache
        if path := cache.find(source):
            return web.FileResponse(path, headers=AS_FILE)
        download = cache.load(source)
        await download.beginning()
        # All of it: parts are given of what is kept alone, or a client would wait for a last one.
        response = web.StreamResponse(headers=AS_FILE)
        response.content_length = download.length
        await response.prepare(request)
        if request.method == hdrs.METH_HEAD:
            return response
        try:
            async for chunk in download.follow():
                await response.write(chunk)
        except UpstreamError:
            # Cut off, so that nobody takes it for whole.
            if request.transport:
                request.transport.abort()
        return response


def answer(request: web.Request, page: Page) -> web.Response:
    """Give a page in the form that the client wants."""
    if wants_json(request):
        return web.json_response(page, headers=KEEP, content_type=JSON)
    return web.Response(text=html.write(page), content_type="text/html", headers=KEEP)


def wants_json(request: web.Request) -> bool:
    """Whether a client reads JSON; HTML all of them do."""
    return JSON in request.headers.get(hdrs.ACCEPT, "")


def moved(location: str) -> web.Response:
    """Lead to another path, seen from this one: the site has us below another root."""
    return web.Response(status=301, headers={hdrs.LOCATION: location})
