"""What stands before MLflow: it lets through known routes, for users whom the gate has named."""

import asyncio
import json
from typing import Any

from mlflow.entities import Workspace
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode
from mlflow.server.workspace_helpers import WORKSPACE_HEADER_NAME, _get_workspace_store

from notehive.gate.asgi import App, Message, Send, answer, sandboxed
from notehive.mlflow.identity import CURRENT, DEFAULT, Identity, identify
from notehive.mlflow.routes import is_open

WORKSPACE = WORKSPACE_HEADER_NAME.lower()
# Files of users are shown without the rights of who looks at them: scripts in them run, but are of
# no origin, so they have no cookies and read nothing of this site.
SANDBOX = b"sandbox allow-scripts"


class Door:
    """An ASGI application around MLflow's. Nginx shows the ``key``; ``page`` is the web page."""

    def __init__(self, app: App, key: str, page: bytes) -> None:
        self.app, self.key, self.page = app, key, page
        self.made = {DEFAULT}  # workspaces that are known to be there

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        """Answer one request, or have MLflow answer it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        elif scope["type"] != "http" or (scope["method"], scope["path"]) == ("GET", "/health"):
            await self.app(scope, receive, send)
        elif isinstance(found := self._judge(scope), str):
            await refuse(send, found)
        elif scope["path"] == "/":
            await answer(send, 200, self.page, b"text/html; charset=utf-8")
        else:
            await self._make_workspaces(found)
            CURRENT.set(found)
            is_page = scope["path"].startswith("/static-files/")
            await self.app(scope, receive, send if is_page else sandboxed(send, SANDBOX))

    def _judge(self, scope: Message) -> Identity | str:
        """Give who asks, or why a request goes no further."""
        given = [(key.decode("latin1"), value.decode("latin1")) for key, value in scope["headers"]]
        identity = identify(dict(given), self.key)
        if identity is None:
            return "only Nginx asks here, for a user whom the gate knows"
        if not is_open(scope["method"], scope["path"], scope["query_string"].decode("latin1")):
            return "this part of MLflow is closed"
        named = [value.strip() for key, value in given if key == WORKSPACE]
        workspace = named[0] if any(named) else DEFAULT
        # MLflow would take the first of two.
        if len(named) > 1 or not identity.sees(workspace):
            return f"the workspace {workspace} is not open to you"
        return identity

    async def _make_workspaces(self, identity: Identity) -> None:
        """Make the workspaces of the user's groups that are not there yet."""
        for name in (identity.edits | identity.reads) - self.made:
            await asyncio.to_thread(make_workspace, name)
            self.made.add(name)


def make_workspace(name: str) -> None:
    """Make a workspace unless it is there."""
    try:
        _get_workspace_store().create_workspace(Workspace(name=name))
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise


async def refuse(send: Send, reason: str) -> None:
    """Say why a request is refused, in the form that MLflow's page and client show."""
    error = {"error_code": "PERMISSION_DENIED", "message": reason}
    await answer(send, 403, json.dumps(error).encode(), b"application/json")
