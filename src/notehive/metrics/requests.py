"""What an ASGI application answers, and in what time, for Prometheus."""

import time
from collections.abc import Iterator, Set
from typing import Any

from prometheus_client import Histogram, Metric

from notehive.gate.asgi import App, Message, Send

SECONDS = (0.05, 0.2, 1, 5, 20)  # bounds of the counts


class Requests:
    """An ASGI application around another one, and a collector of what that answers.

    ``but``: paths that do not count, like that of a health check.
    """

    def __init__(self, app: App, but: Set[str] = frozenset()) -> None:
        self.app, self.but = app, but
        self.answered = Histogram(
            "notehive_request_duration_seconds",
            "Requests by their status, and the time until they were answered.",
            ["status"],
            buckets=SECONDS,
            registry=None,
        )

    def collect(self) -> Iterator[Metric]:
        """Give the figures."""
        yield from self.answered.collect()

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        """Have the application answer, and note how."""
        if scope["type"] != "http" or scope["path"] in self.but:
            await self.app(scope, receive, send)
            return
        status = 500  # the server's own answer, for an application that gives none
        began = time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            self.answered.labels(str(status)).observe(time.perf_counter() - began)
