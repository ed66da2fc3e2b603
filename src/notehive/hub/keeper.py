"""The hub's client of the storage keeper, notehive.storage."""

import asyncio
import json
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from notehive.hub.config import read_secret

URL = "http://storage:8091"
ATTEMPTS = 5  # a restarted keeper's name may lead to its old address for a moment
MEASURE_SECONDS = 30  # a spawn waits this long for a large home to be measured anew


class KeeperError(Exception):
    """The keeper does not answer, or cannot do what it is asked; says so in a sentence."""


async def make(path: str) -> None:
    """Have a directory made, like ``homes/ana-0123456789``, unless it is there."""
    await _ask("PUT", f"/{path}")


async def used(path: str) -> int:
    """Give what a directory held (bytes) when it was last measured; 0 if it never was."""
    return int((await _ask("GET", f"/{path}"))["used"])


async def measure(path: str) -> int:
    """Have a directory measured now; give what it holds (bytes)."""
    return int((await _ask("POST", f"/{path}/measure", seconds=MEASURE_SECONDS))["used"])


async def _ask(method: str, path: str, seconds: float = 10) -> Any:
    request = HTTPRequest(
        URL + path,
        method=method,
        headers={"Authorization": f"Bearer {read_secret('storage-token')}"},
        connect_timeout=3,
        request_timeout=seconds,
        allow_nonstandard_methods=True,  # without a body
    )
    for attempt in range(ATTEMPTS):
        try:
            answer = await AsyncHTTPClient().fetch(request)
            return json.loads(answer.body)
        except (HTTPClientError, OSError) as error:
            reason = error
            if isinstance(error, HTTPClientError) and error.code < 599:
                break  # it answered; 599 is Tornado's own for no answer in time
        await asyncio.sleep(0.2 * 2**attempt)
    raise KeeperError(
        f"The storage of homes does not do its part ({reason}). "
        "Try again in a minute; if that does not help, tell an administrator."
    )
