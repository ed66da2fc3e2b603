"""A start, followed through what the Swarm says; the reason when it cannot succeed."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from tornado.web import HTTPError

from notehive.hub import probe, waiting
from notehive.hub.room import Need
from notehive.hub.said import Said
from notehive.hub.starting import Start
from notehive.hub.watch import Watch
from tests.support.engine import StandInEngine, node, task

NODES = [node("node-1", cpu=4, memory=8 * 2**30)]
NO_ROOM = {"Err": "no suitable node (insufficient resources on 1 node)"}


def make(tasks: Iterable[list[dict[str, Any]]], memory: int = 2**30, **answers: Any) -> Start:
    """Give a start in which each look at the tasks finds the next of these."""
    looks = iter(tasks)
    last: list[dict[str, Any]] = []

    def look(filters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        nonlocal last
        if filters and "name" in filters:
            last = next(looks, last)
        return last

    engine = StandInEngine(tasks=look, nodes=NODES, **answers)
    return Start(
        watch=Watch(engine, "nh"),
        said=Said(),
        name="nh-ana",
        service="service-id",
        image="base",
        network="nh_users",
        need=Need(1, memory, {}, []),
    )


def messages(start: Start) -> list[str]:
    async def hear() -> list[str]:
        start.said.end()
        return [event["message"] async for event in start.said.hear()]

    return asyncio.run(hear())


def test_every_step_is_told() -> None:
    states = ["new", "pending", "assigned", "preparing", "starting", "running"]
    start = make([[task(state)] for state in states])
    assert asyncio.run(start.placed()).running
    assert messages(start) == [
        "Asking the Swarm for a place",
        "Placed on node-1",
        "Preparing the image on node-1; a new one is pulled now",
        "Starting the container on node-1",
    ]


def test_what_it_waits_for_is_told_and_it_starts_when_there_is_room() -> None:
    waits = task("pending", status=NO_ROOM, NodeID="")
    taken = {"Resources": {"Reservations": {"MemoryBytes": 8 * 2**30}}}
    other = task(ServiceID="another", Spec=taken)
    start = make([[waits, other], [waits, other], [task("running")]])
    assert asyncio.run(start.placed()).running
    assert "Waiting: no node has 1 GB of memory free; 1 node checked" in messages(start)


def refused(start: Start) -> HTTPError:
    with pytest.raises(HTTPError) as raised:
        asyncio.run(start.placed())
    return raised.value


def test_what_no_node_can_hold_is_refused_at_once() -> None:
    error = refused(make([[task("pending", status=NO_ROOM)]], memory=64 * 2**30))
    assert error.status_code == 409
    assert "no node is large enough: 64 GB" in error.jupyterhub_message


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "ROOM_SECONDS", 0)
    taken = {"Resources": {"Reservations": {"MemoryBytes": 8 * 2**30}}}
    start = make([[task("pending", status=NO_ROOM), task(ServiceID="another", Spec=taken)]])
    error = refused(start)
    assert error.status_code == 503
    assert "no room for this server now: no node has 1 GB" in error.jupyterhub_message


def test_a_full_network_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "ADDRESS_SECONDS", 0)
    network = {"Id": "net", "IPAM": {"Config": [{"Subnet": "10.9.0.0/29"}]}}
    named = {"ID": "net", "Spec": {"Name": "nh_users"}}
    attached = [{"Network": named, "Addresses": ["10.9.0.3/29"]}]
    others = [task(ServiceID=f"s{n}", NetworksAttachments=attached) for n in range(4)]
    error = refused(make([[task("new"), *others]], inspect_network=network))
    assert error.status_code == 503
    assert "its 8 addresses are taken" in error.jupyterhub_message


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (task("rejected", status={"Err": "No such image: r/x"}), "The image base is not on node-1"),
        (task("failed", status={"ContainerStatus": {"ExitCode": 3}}), "with exit code 3"),
        (task("running", DesiredState="remove"), "could not start"),
    ],
)
def test_a_task_that_ends_is_a_reason(last: dict[str, Any], words: str) -> None:
    assert words in refused(make([[task("preparing")], [last]])).jupyterhub_message


def test_a_service_removed_meanwhile_is_a_reason() -> None:
    from docker.errors import NotFound

    start = make([[task("new")], []], inspect_service=NotFound("no such service"))
    assert "removed while it started" in refused(start).jupyterhub_message


def test_a_service_without_a_task_yet_is_waited_for() -> None:
    assert asyncio.run(make([[], [], [task("running")]]).placed()).running


def test_answered_by_a_real_server() -> None:
    """It listens after a while, and answers 503 before it answers 200."""
    start = make([[task("running")]])

    async def run() -> list[str]:
        asked = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = (await reader.readline()).decode()
            if line:
                asked.append(line.split()[1])
                status = "503 Later" if len(asked) == 1 else "200 OK"
                head = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"
                writer.write(head.encode())
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        url = f"http://127.0.0.1:{port}/user/ana/"
        waits = asyncio.create_task(start.answered(url, "127.0.0.1", port, 20))
        await asyncio.sleep(3 * probe.FIRST_SECONDS)
        assert not waits.done()
        async with await asyncio.start_server(serve, "127.0.0.1", port):
            await asyncio.wait_for(waits, 20)
        return asked

    assert asyncio.run(run()) == ["/user/ana/api"] * 2


def test_a_server_that_ends_before_it_answers_is_a_reason() -> None:
    status = {"ContainerStatus": {"ExitCode": 1}}
    start = make([[task("running")], [task("failed", DesiredState="shutdown", status=status)]])
    with pytest.raises(HTTPError) as raised:
        asyncio.run(start.answered("http://127.0.0.1:1/user/ana/", "127.0.0.1", 1, 20))
    assert "did not start. It ended with exit code 1" in raised.value.jupyterhub_message


def test_a_server_that_never_answers_is_a_reason() -> None:
    start = make([[task("running")]])
    with pytest.raises(HTTPError) as raised:
        asyncio.run(start.answered("http://127.0.0.1:1/user/ana/", "127.0.0.1", 1, 0.1))
    assert "did not answer within 0 s" in raised.value.jupyterhub_message
