"""The API as an aiohttp application: its parts, behind one check of who asks."""

from collections.abc import Collection

from aiohttp import web

from notehive.api.agent import Agent
from notehive.api.asking import errors_in_json, known
from notehive.api.builder import Builder
from notehive.api.database import Database
from notehive.api.jenkins import Access, ByJenkins
from notehive.api.models import Models
from notehive.api.publish import Publish
from notehive.api.pushes import Pushes
from notehive.api.releases import Releases
from notehive.api.retention import Limits, Retention
from notehive.api.stages import Stages
from notehive.api.tables import Tables
from notehive.git.repositories import Repositories
from notehive.outside.statuses import Statuses


def make_app(
    repositories: Repositories,
    *,
    key: str,
    push_token: str,
    builder: Builder | None,
    database: Database,
    publish: Publish,
    jenkins: Access | None,
    url: str,
    groups: Collection[str],
    limits: Limits | None = None,
    server: str = "",
    statuses: Statuses | None = None,
) -> web.Application:
    """Give the application.

    Nginx shows the ``key`` and git the ``push_token``; there may be no ``builder`` and no
    ``jenkins``. ``url`` is the site's address, ``groups`` are those that models can belong to.
    Of ``database`` are the tables. By the ``limits``, if they are given, old releases go. With a
    ``server`` outside, repositories come from there, which can hear of releases by ``statuses``.
    """
    app = web.Application(middlewares=[errors_in_json, known(key)])
    app.add_routes([web.get("/health", healthy)])
    by_jenkins = ByJenkins(jenkins, repositories, url) if jenkins else None
    made = by_jenkins.want_jobs if by_jenkins else None
    models = Models(repositories, url, groups, made, server)
    releases = None
    if builder:
        stages = Stages(builder, publish)
        heard = statuses.heard if statuses else None
        releases = Releases(repositories, stages, by_jenkins, models.one, heard)
        app.add_routes(releases.routes())
        if statuses:
            app.cleanup_ctx.append(statuses.running)
        if limits:
            app.cleanup_ctx.append(Retention(limits, builder, releases.turn).running)
        app.on_startup.append(releases.resume)
        app.on_shutdown.append(releases.end)
        if by_jenkins:
            app.add_routes(Agent(by_jenkins, stages).routes())
            app.on_startup.append(by_jenkins.begin)
            app.on_shutdown.append(by_jenkins.end)
    pushes = Pushes(repositories, push_token, url, models.one, releases)
    tables = Tables(database, models.one)
    app.add_routes([*models.routes(), *pushes.routes(), *tables.routes()])
    return app


async def healthy(request: web.Request) -> web.Response:
    """Say that the API answers."""
    return web.Response(text="ok\n")
