"""Tells the hub when this server was last used."""

import json
import os
from datetime import UTC, datetime

from tornado.httpclient import AsyncHTTPClient

EVERY_SECONDS = 60.0  # while the server is used; the hub counts in minutes


class Reporter:
    """Sends the time of the last use, no more often than anybody needs it."""

    def __init__(self) -> None:
        self._url = os.environ.get("JUPYTERHUB_ACTIVITY_URL", "")
        self.sent = self._at = 0.0  # the last use that the hub knows of, and since when

    def is_due(self, now: float, latest: float, *, soon: bool) -> bool:
        """Say whether to report; ``soon``: the hub is about to stop the server."""
        return bool(self._url) and latest > self.sent and (soon or now >= self._at + EVERY_SECONDS)

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
        self.sent, self._at = latest, now
