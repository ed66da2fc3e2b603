"""A kernel and its websocket, as JupyterLab's own client uses them."""

import asyncio
import json
import socket
import uuid
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from aiohttp.abc import AbstractResolver, ResolveResult

PROTOCOL = "5.3"  # of Jupyter's messages


class ThisMachine(AbstractResolver):
    """Finds every name on this machine: no DNS knows those of test sites."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give the loopback address."""
        found = ResolveResult(
            hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0
        )
        return [found]

    async def close(self) -> None:
        """Nothing is open."""


class CellError(Exception):
    """A cell that did not end well; the message says how."""


class Kernel:
    """One new kernel of a notebook server; its websocket is open inside ``async with``.

    ``server`` is the address of the server with its prefix, ``headers`` go with each request.
    """

    def __init__(self, session: ClientSession, server: str, headers: Mapping[str, str]) -> None:
        self.session, self.server, self.headers = session, server.rstrip("/"), dict(headers)
        self.id = ""
        self.frames: Counter[str] = Counter()  # what came that is no message, by kind
        self._socket: ClientWebSocketResponse

    async def __aenter__(self) -> "Kernel":
        async with self.session.post(f"{self.server}/api/kernels", headers=self.headers) as answer:
            if answer.status != 201:
                raise CellError(f"no kernel: {answer.status} {(await answer.text())[:200]}")
            self.id = (await answer.json())["id"]
        address = f"{self.server}/api/kernels/{self.id}/channels"
        self._socket = await self.session.ws_connect(
            address, headers=self.headers, autoping=False, max_msg_size=0
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._socket.close()

    async def execute(self, code: str) -> str:
        """Run a cell to its end; give the text of its result, or raise CellError."""
        asked = uuid.uuid4().hex
        await self._socket.send_json(request(asked, code))
        result, awaited = "", {"execute_reply", "idle"}
        while awaited:
            answer = await self._message()
            content, kind = answer["content"], answer["msg_type"]
            if answer["parent_header"].get("msg_id") != asked:
                continue
            if kind == "execute_result":
                result = content["data"]["text/plain"]
            elif kind == "execute_reply":
                if content["status"] != "ok":
                    raise CellError(f"{content['status']}: {content.get('evalue', '')}")
                awaited.discard(kind)
            elif kind == "status":
                awaited.discard(content["execution_state"])
        return result

    async def listen(self, seconds: float) -> int:
        """Do nothing for so long but to hear; give how many messages the kernel sent."""
        heard = 0
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._message()
                    heard += 1
        except TimeoutError:
            return heard

    async def _message(self) -> Any:
        """Give the kernel's next message. Like a browser's, pings are answered, and none sent."""
        while (frame := await self._socket.receive()).type is not WSMsgType.TEXT:
            self.frames[frame.type.name] += 1
            if frame.type is not WSMsgType.PING:
                raise CellError(f"the websocket ended: {frame.type.name} {frame.data}")
            await self._socket.pong(frame.data)
        return json.loads(frame.data)


def request(message_id: str, code: str) -> dict[str, object]:
    """Give Jupyter's message that asks for a cell to be run."""
    return {
        "channel": "shell",
        "header": {
            "msg_id": message_id,
            "msg_type": "execute_request",
            "session": message_id,
            "username": "",
            "date": "",
            "version": PROTOCOL,
        },
        "parent_header": {},
        "metadata": {},
        "content": {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        },
        "buffers": [],
    }
