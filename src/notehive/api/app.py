"""The API as an aiohttp application: its parts, behind one check of who asks."""

from collections.abc import Collection

from aiohttp import web

from notehive.api.asking import errors_in_json, known
from notehive.api.models import Models
from notehive.api.pushes import Pushes
from notehive.git.repositories import Repositories


def make_app(
    repositories: Repositories, *, key: str, push_token: str, url: str, groups: Collection[str]
) -> web.Application:
    """Give the application.

    Nginx shows the ``key`` and git the ``push_token``; ``url`` is the site's address, ``groups``
    are those that models can belong to.
    """
    models = Models(repositories, url, groups)
    pushes = Pushes(repositories, push_token, url, models.one)
    app = web.Application(middlewares=[errors_in_json, known(key)])
    app.add_routes([web.get("/health", healthy), *models.routes(), *pushes.routes()])
    return app


async def healthy(request: web.Request) -> web.Response:
    """Say that the API answers."""
    return web.Response(text="ok\n")
