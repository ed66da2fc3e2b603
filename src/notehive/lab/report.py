"""Tells the hub when this server was last used."""

import json
import os
from datetime import UTC, datetime

from tornado.httpclient import AsyncHTTPClient

EVERY_SECONDS = 60.0  # while the server is used


class Reporter:
    """Sends the time of the last use, no more often than the hub needs it.

    ``idle``: seconds after which the hub stops a server, 0 for never.
    """

    def __init__(self, idle: float = 0) -> None:
        self._every = min(EVERY_SECONDS, idle / 4) if idle else EVERY_SECONDS
        self._url = os.environ.get("JUPYTERHUB_ACTIVITY_URL", "")
        self._sent = self._at = 0.0  # the last use that the hub knows of, and since when

    def is_due(self, now: float, latest: float) -> bool:
        """Say whether to report. The first use after a pause is told at once."""
        return bool(self._url) and latest > self._sent and now >= self._at + self._every

    async def report(self, now: float, latest: float) -> None:
        """Report once. Raises an exception of the HTTP client if the hub does not take it."""
        at = datetime.fromtimestamp(latest, UTC).isoformat()
        server = os.environ.get("JUPYTERHUB_SERVER_NAME", "")
        await AsyncHTTPClient().fetch(
            self._url,
            method="POST",
            headers={
                "Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}",
                "Content-Type": "application/json",
            },
            body=json.dumps({"last_activity": at, "servers": {server: {"last_activity": at}}}),
        )
        self._sent, self._at = latest, now
