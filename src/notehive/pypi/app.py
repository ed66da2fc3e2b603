"""The index as an HTTP server: ``/simple/`` is the asker's, ``/GROUP/simple/`` a group's."""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from packaging.utils import canonicalize_name

from notehive.gate.asker import asker
from notehive.pypi.changing import Changing
from notehive.pypi.index import ASKER, Index
from notehive.pypi.reading import Reading, moved
from notehive.pypi.upstream import UpstreamError

HEALTH = "/health"


def make_app(index: Index, key: str) -> web.Application:
    """Give the aiohttp application. Nginx shows the ``key``."""
    app = web.Application(middlewares=[known(key), in_words])
    reading, changing, routes = Reading(index), Changing(index), app.router
    routes.add_get(HEALTH, health)
    routes.add_get("/", to_projects)
    for root in ("/simple", "/{group}/simple"):
        routes.add_get(f"{root}/", reading.projects)
        routes.add_get(f"{root}/{{project}}", to_page)
        routes.add_get(f"{root}/{{project}}/", reading.page)
        routes.add_get(f"{root}/{{project}}/{{filename}}", reading.file)
    routes.add_post(r"/{group}{slash:/?}", changing.upload)
    routes.add_delete("/{group}/simple/{project}/", changing.remove)
    routes.add_delete("/{group}/simple/{project}/{filename}", changing.remove)
    return app


def known(key: str) -> Middleware:
    """Give the middleware that lets those through whom the gate has named."""

    @web.middleware
    async def let_through(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != HEALTH:
            who = asker(request.headers, key)
            if who is None:
                raise web.HTTPForbidden(text="only Nginx asks here, for whom the gate knows\n")
            request[ASKER] = who
        return await handler(request)

    return let_through


@web.middleware
async def in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say what upstream did not give."""
    try:
        return await handler(request)
    except UpstreamError as error:
        raise web.HTTPBadGateway(text=f"the upstream index: {error}\n") from None


async def to_projects(_: web.Request) -> web.StreamResponse:
    """Lead from the root to what is there."""
    return moved("simple/")


async def to_page(request: web.Request) -> web.StreamResponse:
    """Lead to a project's page: links on it are relative."""
    return moved(f"{canonicalize_name(request.match_info['project'])}/")


async def health(_: web.Request) -> web.Response:
    """Answer the health check."""
    return web.Response(text="ok\n")
