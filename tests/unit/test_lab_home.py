"""What Lab tells of the home: asked of a stand-in of the hub, with the server's own token."""

import asyncio
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from notehive.lab.home import EVERY_SECONDS, Home


class StandInHub(RequestHandler):
    """A stand-in for the hub's API."""

    def get(self) -> None:
        if self.request.headers.get("Authorization") != "token s3cret":
            self.send_error(403)
            return
        self.write({"used": 46, "quota": 50})


def look(token: str) -> Home:
    async def with_hub() -> Home:
        listening, port = bind_unused_port()
        hub = HTTPServer(Application([("/hub/api/storage", StandInHub)]))
        hub.add_sockets([listening])
        environment = {
            "JUPYTERHUB_API_URL": f"http://127.0.0.1:{port}/hub/api",
            "JUPYTERHUB_API_TOKEN": token,
        }
        home = Home(environment)
        assert home.is_due(1000.0)
        try:
            await home.look(1000.0)
        finally:
            hub.stop()
        return home

    return asyncio.run(with_hub())


def test_what_the_hub_knows_is_shown() -> None:
    home = look("s3cret")
    assert home.show() == {"home_used": 46, "home_quota": 50}
    assert not home.is_due(1000.0 + EVERY_SECONDS - 1)
    assert home.is_due(1000.0 + EVERY_SECONDS)


def test_a_hub_that_refuses_is_an_error_for_the_log() -> None:
    with pytest.raises(HTTPClientError):
        look("wrong")


@pytest.mark.parametrize("environment", [{}, {"JUPYTERHUB_API_URL": ""}])
def test_without_a_hub_there_is_no_quota(environment: dict[str, Any]) -> None:
    home = Home(environment)
    assert not home.is_due(10.0**9)
    assert home.show() == {"home_used": 0, "home_quota": 0}
