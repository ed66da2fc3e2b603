"""A notebook that is left open: its kernel's websocket is silent, and then used again.

Through Nginx and the proxy to a real server. NOTEHIVE_IDLE_MINUTES: how long it is silent.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientTimeout

from bench.result import Begun, circumstances, write
from tests.support.hub import User, user
from tests.support.kernel import CellError, Kernel
from tests.support.site import Site

pytestmark = pytest.mark.long

# Longer than the quarter of an hour after which a Swarm's virtual addresses drop connections.
MINUTES = float(os.environ.get("NOTEHIVE_IDLE_MINUTES", "20"))
RESULT = Path(__file__).parent / "results/idle-websocket.json"


@pytest.fixture
def reader(site: Site) -> Iterator[User]:
    """A user with a server."""
    with user(site, "reader") as reader:
        reader.start(image="base", size="small")
        yield reader
        reader.stop()


async def left_open(site: Site, owner: User) -> dict[str, object]:
    """Run a cell, be silent, run another in the same kernel; give what happened."""
    headers = {"Host": site.url.removeprefix("http://"), "Authorization": f"Bearer {owner.token}"}
    server = f"http://127.0.0.1:{site.port}/user/{owner.name}"
    happened: dict[str, object] = {"idle_minutes": MINUTES}
    async with (
        ClientSession(timeout=ClientTimeout(total=None)) as session,
        Kernel(session, server, headers) as kernel,
    ):
        await kernel.execute("answer = 6 * 7")
        pings = kernel.frames["PING"]
        try:
            happened["messages_meanwhile"] = await kernel.listen(MINUTES * 60)
            happened["pings_meanwhile"] = kernel.frames["PING"] - pings
            happened["result"] = await asyncio.wait_for(kernel.execute("answer"), 60)
        except (CellError, TimeoutError) as error:
            happened["failure"] = str(error) or "no answer to the cell after the silence"
    return happened


def test_a_silent_notebook_goes_on_where_it_was(site: Site, reader: User) -> None:
    begun = Begun.now()
    happened = asyncio.run(left_open(site, reader))
    command = f"NOTEHIVE_IDLE_MINUTES={MINUTES:g} make test-long"
    write(RESULT, {**circumstances(command, begun), "happened": happened})
    assert "failure" not in happened, happened
    assert happened["result"] == "42"
    assert happened["messages_meanwhile"] == 0  # else it was not silent
