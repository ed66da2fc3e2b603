"""The API as an aiohttp application: its parts, behind one check of who asks."""

from collections.abc import Collection

from aiohttp import web

from notehive.api.asking import errors_in_json, known
from notehive.api.builder import Builder
from notehive.api.database import Database
from notehive.api.models import Models
from notehive.api.publish import Publish
from notehive.api.pushes import Pushes
from notehive.api.releases import Releases
from notehive.api.tables import Tables
from notehive.git.repositories import Repositories


def make_app(
    repositories: Repositories,
    *,
    key: str,
    push_token: str,
    builder: Builder | None,
    database: Database,
    publish: Publish,
    url: str,
    groups: Collection[str],
) -> web.Application:
    """Give the application.

    Nginx shows the ``key`` and git the ``push_token``; there may be no ``builder``. Of ``database``
    are the tables. ``url`` is the site's address, ``groups`` are those that models can belong to.
    """
    models = Models(repositories, url, groups)
    releases = Releases(repositories, builder, publish, models.one) if builder else None
    pushes = Pushes(repositories, push_token, url, models.one, releases)
    tables = Tables(database, models.one)
    app = web.Application(middlewares=[errors_in_json, known(key)])
    app.add_routes([web.get("/health", healthy), *models.routes(), *pushes.routes()])
    app.add_routes(tables.routes())
    if releases:
        app.add_routes(releases.routes())
        app.on_startup.append(releases.resume)
        app.on_shutdown.append(releases.end)
    return app


async def healthy(request: web.Request) -> web.Response:
    """Say that the API answers."""
    return web.Response(text="ok\n")
