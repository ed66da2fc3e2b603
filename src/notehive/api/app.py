"""The API as an aiohttp application: its parts, behind one check of who asks."""

from collections.abc import Collection

from aiohttp import web

from notehive.api.asking import errors_in_json, known
from notehive.api.builder import Builder
from notehive.api.models import Models
from notehive.api.pushes import Pushes
from notehive.api.releases import Releases
from notehive.api.retention import Limits, Retention
from notehive.git.repositories import Repositories


def make_app(
    repositories: Repositories,
    *,
    key: str,
    push_token: str,
    builder: Builder | None,
    url: str,
    groups: Collection[str],
    limits: Limits | None = None,
) -> web.Application:
    """Give the application.

    Nginx shows the ``key`` and git the ``push_token``; there may be no ``builder``. ``url`` is the
    site's address, ``groups`` are those that models can belong to. By the ``limits``, if they are
    given, old releases go.
    """
    models = Models(repositories, url, groups)
    releases = Releases(repositories, builder, models.one) if builder else None
    pushes = Pushes(repositories, push_token, url, models.one, releases)
    app = web.Application(middlewares=[errors_in_json, known(key)])
    app.add_routes([web.get("/health", healthy), *models.routes(), *pushes.routes()])
    if releases and builder:
        app.add_routes(releases.routes())
        if limits:
            app.cleanup_ctx.append(Retention(limits, builder, releases.turn).running)
        app.on_startup.append(releases.resume)
        app.on_shutdown.append(releases.end)
    return app


async def healthy(request: web.Request) -> web.Response:
    """Say that the API answers."""
    return web.Response(text="ok\n")
