"""What doors in front of others' ASGI applications share: a service's page behind the gate."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Any, Send], Awaitable[None]]


def sandboxed(send: Send, policy: bytes) -> Send:
    """Give a ``send`` that adds a content security policy, for what users have made."""

    async def send_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            header = (b"content-security-policy", policy)
            message["headers"] = [*message["headers"], header]
        await send(message)

    return send_on


async def answer(send: Send, status: int, body: bytes, kind: bytes) -> None:
    """Send a whole answer."""
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
