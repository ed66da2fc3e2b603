"""Speaking to a user's server itself, at the address of its task."""

import asyncio
from contextlib import suppress

from tornado.httpclient import HTTPError, HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

FIRST_SECONDS, LONGEST_SECONDS = 0.03, 0.25  # between two attempts to connect
ANSWER_SECONDS = 20  # for an answer, once somebody listens


async def listening(host: str, port: int) -> None:
    """Return once a TCP port accepts connections.

    The interval grows with the time that it has taken, so that the delay stays a twentieth of
    it, and many servers that start at once are not asked more than they can bear.
    """
    clock = asyncio.get_running_loop().time
    began = clock()
    while True:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return
        await asyncio.sleep(min(LONGEST_SECONDS, max(FIRST_SECONDS, (clock() - began) / 20)))


async def answering(url: str) -> None:
    """Return once a server answers without an error of its own; ``url`` ends with a slash."""
    while True:
        if 0 < await ask(f"{url}api", seconds=ANSWER_SECONDS) < 500:
            return
        await asyncio.sleep(LONGEST_SECONDS)


async def shut_down(url: str, token: str) -> bool:
    """Ask a server to end in good order, as "Shut Down" in JupyterLab does; say if it agreed."""
    return await ask(f"{url}api/shutdown", token=token, method="POST", seconds=3) == 200


async def ask(url: str, *, token: str = "", method: str = "GET", seconds: float) -> int:
    """Make one request; give the status of its answer, 0 if there is none in time."""
    # A client of its own: the shared one lets ten requests through at once, and each of
    # these may take as long as a server does to start.
    client = SimpleAsyncHTTPClient(force_instance=True)
    request = HTTPRequest(
        url,
        method=method,
        headers={"Authorization": f"token {token}"} if token else None,
        allow_nonstandard_methods=True,  # a POST without a body
        connect_timeout=min(1, seconds),
        request_timeout=seconds,
        follow_redirects=False,
    )
    try:
        return (await client.fetch(request, raise_error=False)).code
    except (HTTPError, OSError):
        return 0
    finally:
        client.close()
