"""How the server talks with the hub: stands for `jupyterhub.httpclient`.

JupyterHub asks with aiohttp, whose import is a tenth of a server's start. Tornado's client is there
anyway; this gives as much of aiohttp's answer as a server of JupyterHub reads.
"""

import ssl
from collections.abc import Mapping

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders

# aiohttp's own limit. The hub may be busy: others start as well.
SECONDS = 300.0


class Answer:
    """What the hub said."""

    def __init__(self, response: HTTPResponse) -> None:
        self.status: int = response.code
        self.headers: HTTPHeaders = response.headers
        self._body = response.body

    async def text(self) -> str:
        """Give the body."""
        return self._body.decode(errors="replace")


async def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    data: str | bytes | None = None,
    ssl: ssl.SSLContext | None = None,
    raise_for_status: bool = True,
) -> Answer:
    """Ask once; raises tornado's HTTPError for an error unless told otherwise, OSError for none."""
    request = HTTPRequest(
        url,
        method=method,
        headers=dict(headers or {}),
        body=data,
        allow_nonstandard_methods=True,  # a POST without a body
        ssl_options=ssl,
        connect_timeout=SECONDS,
        request_timeout=SECONDS,
    )
    return Answer(await AsyncHTTPClient().fetch(request, raise_error=raise_for_status))
