"""How a server talks with the hub, without aiohttp."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tornado.httpclient import HTTPClientError

from notehive.lab.hub import fetch


class Hub(BaseHTTPRequestHandler):
    """Says what it was asked, with the status that is in the path."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        said = f"{self.command} {self.headers['Authorization']} {body}é".encode()
        self.send_response(int(self.path.strip("/")))
        self.send_header("X-JupyterHub-Version", "6.1")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_hub_is_asked(hub: str) -> None:
    async def ask() -> None:
        answer = await fetch(f"{hub}/200", headers={"Authorization": "token a"})
        assert answer.status == 200
        assert answer.headers.get("X-JupyterHub-Version") == "6.1"
        assert await answer.text() == "GET token a é"
        answer = await fetch(f"{hub}/201", method="POST", data=b"code=1")
        assert (answer.status, await answer.text()) == (201, "POST None code=1é")

    asyncio.run(ask())


def test_an_error_is_an_answer_if_wanted(hub: str) -> None:
    async def ask() -> None:
        answer = await fetch(f"{hub}/403", raise_for_status=False)
        assert answer.status == 403
        with pytest.raises(HTTPClientError, match="403"):
            await fetch(f"{hub}/403")

    asyncio.run(ask())


def test_no_hub_is_an_error() -> None:
    with pytest.raises(OSError, match="refused"):
        asyncio.run(fetch("http://127.0.0.1:1/", raise_for_status=False))
