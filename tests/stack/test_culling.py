"""Who uses a server keeps it, who has just a page open does not."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from socket import create_connection
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.support.hub import User, quoted, user
from tests.support.site import Site, changed, fetch, wait_for

pytestmark = [pytest.mark.long, pytest.mark.changes_site]

IDLE = 0.75  # minutes
POLLED = ("api/kernels", "api/terminals", "api/sessions", "api/contents", "notehive/notices")


@pytest.fixture(scope="module")
def culling(site: Site) -> Iterator[None]:
    """The site with little patience."""
    with changed(site, culling={"idle": IDLE, "notice": IDLE * 0.6}):
        yield


@pytest.fixture
def start(site: Site, culling: None) -> Iterator[Callable[[str], User]]:
    """Make a user and start a server without waiting for it."""
    with ExitStack() as stack:

        def make(name: str) -> User:
            made = stack.enter_context(user(site, name))
            made.ask("POST", f"/users/{name}/server", {"image": "base", "size": "small"})
            return made

        yield make


def ask(user: User, path: str, method: str = "GET", server: str = "") -> Any:
    """Ask a server through the site, as a page does; None if it is not there."""
    headers = {"Authorization": f"token {user.token}"}
    base = f"/user/{quoted(user.name)}/{server}"
    answer = fetch(user.site, base + path, method=method, headers=headers, body=b"")
    return json.loads(answer.body) if answer.status < 300 else None


def ready(user: User, server: str = "") -> bool:
    return bool((user.server(server) or {}).get("ready"))


def websocket(user: User, path: str) -> ClientConnection:
    """Open a websocket of a user's server."""
    host = user.site.url.removeprefix("http://")
    return connect(
        f"ws://{host}/user/{quoted(user.name)}/{path}",
        additional_headers={"Authorization": f"token {user.token}"},
        sock=create_connection(("127.0.0.1", user.site.port), timeout=60),
    )


def run_silent_cell(user: User) -> None:
    """Start a cell that will say nothing for ten minutes, and close the page."""
    kernel = ask(user, "api/kernels", "POST")["id"]
    header = {"msg_id": "1", "session": "test", "username": "", "version": "5.3"}
    content = {"code": "import time; time.sleep(600)", "silent": False}
    message = {"header": {**header, "msg_type": "execute_request"}, "content": content}
    with websocket(user, f"api/kernels/{kernel}/channels?session_id=test") as ws:
        ws.send(json.dumps({**message, "channel": "shell", "parent_header": {}, "metadata": {}}))
        while json.loads(ws.recv(timeout=60))["header"]["msg_type"] != "execute_input":
            pass


def run_program(user: User) -> None:
    """Start a program in a terminal that does nothing and says nothing, and close the page."""
    terminal = ask(user, "api/terminals", "POST")["name"]
    with websocket(user, f"terminals/websocket/{terminal}") as ws:
        ws.send(json.dumps(["stdin", "echo st''arted; sleep 600\r"]))
        output = ""
        while "started" not in output:
            output += str(json.loads(ws.recv(timeout=60))[1])


def test_idle_servers_go_and_used_ones_stay(start: Callable[[str], User]) -> None:
    worker, admin = start("wo-rk"), start("te-rm")
    for each, use in ((worker, run_silent_cell), (admin, run_program)):
        wait_for(f"{each.name}'s server", partial(ready, each), 120)
        use(each)
    looker, late = start("lo-ok"), start("ex-tend")
    named = looker.call("POST", f"/users/{looker.name}/servers/second", {"image": "base"})
    assert named.status in (201, 202)
    wait_for("the server of one who looks", partial(ready, looker), 120)
    ask(looker, "api/terminals", "POST")  # a shell that waits is no use
    wait_for("the server that is to stay longer", partial(ready, late), 120)

    extended = False

    def looked_until_gone() -> bool:
        nonlocal extended
        for path in POLLED:  # as an open page does
            ask(looker, path)
        state = ask(late, "notehive/notices")
        if not extended and state["stops_in"] is not None:
            assert 0 < state["stops_in"] <= IDLE * 60
            assert ask(late, "notehive/extend", "POST")["stops_in"] is None
            extended = True
        return not ready(looker) and not ready(looker, "second")

    wait_for("the end of a server with an open page", looked_until_gone, 120)
    assert extended, "a notice came before the end"
    for each in (worker, admin, late):
        assert ready(each), each.name
        assert ask(each, "notehive/notices"), each.name
    wait_for("the end of the extended server", lambda: not ready(late), 120)
    for each in (worker, admin):
        assert ready(each), each.name
        assert ask(each, "notehive/notices")["stops_in"] is None
