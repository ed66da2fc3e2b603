"""What stands before Airflow: it lets through known routes, for users whom the gate has named."""

import json
from typing import Any

from notehive.airflow.identity import CURRENT, Identity
from notehive.airflow.routes import is_inner, is_open
from notehive.gate.asgi import App, Message, Send, answer, sandboxed
from notehive.gate.asker import asker

BASE = "/airflow"
# What Airflow takes of a request in place of a token: it asks our auth manager who that is.
KNOWN = (b"authorization", b"Bearer gate")
OWN = {b"authorization", b"cookie"}  # Airflow's own ways to know a user
# Answers of the API hold what users wrote. Opened as a page, they are of no origin.
SANDBOX = b"sandbox"


class Door:
    """An ASGI application around Airflow's. Nginx shows the ``key``.

    On ``inner_port``, where Nginx does not ask, are the API of tasks, which have tokens of
    Airflow's for it, the state of Airflow's parts, and the name of this ``image``.
    """

    def __init__(self, app: App, key: str, inner_port: int, image: str) -> None:
        self.app, self.key, self.inner_port, self.image = app, key, inner_port, image

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        """Answer one request, or have Airflow answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        elif scope["server"][1] == self.inner_port:
            await self._answer_inside(scope, receive, send)
        elif isinstance(found := self._judge(scope), str):
            await refuse(send, found)
        else:
            CURRENT.set(found)
            kept = [(name, value) for name, value in scope["headers"] if name not in OWN]
            is_api = scope["path"].startswith((f"{BASE}/api/", f"{BASE}/ui/"))
            asked = {**scope, "headers": [*kept, KNOWN]}
            await self.app(asked, receive, sandboxed(send, SANDBOX) if is_api else send)

    async def _answer_inside(self, scope: Message, receive: Any, send: Send) -> None:
        """Answer one of Airflow's own parts."""
        if scope["path"] == "/image":
            await answer(send, 200, self.image.encode(), b"text/plain")
        elif is_inner(scope["method"], scope["path"].removeprefix(BASE)):
            await self.app(scope, receive, send)
        else:
            await refuse(send, "only tasks ask here")

    def _judge(self, scope: Message) -> Identity | str:
        """Give who asks, or why a request goes no further."""
        given = {key.decode("latin1"): value.decode("latin1") for key, value in scope["headers"]}
        who = asker(given, self.key)
        if who is None:
            return "only Nginx asks here, for a user whom the gate knows"
        base, path = scope["path"][: len(BASE)], scope["path"][len(BASE) :]
        if base != BASE or not is_open(scope["method"], path, admin=who.admin):
            return "this part of Airflow is closed"
        return Identity(*who)


async def refuse(send: Send, reason: str) -> None:
    """Say why a request is refused, in the form that Airflow's page shows."""
    await answer(send, 403, json.dumps({"detail": reason}).encode(), b"application/json")
