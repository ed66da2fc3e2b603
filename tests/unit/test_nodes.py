"""What is seen of nodes, from what a stand-in engine says of them."""

from typing import Any

import pytest

from notehive.errors import BadInput, NotehiveError
from notehive.platform import join, nodes, prepull, swarm
from notehive.platform.swarm import Task
from notehive.settings import parse

SERVICES: dict[str, dict[str, Any]] = {
    "nh-ana": {
        "Labels": {"notehive.stack": "nh", "notehive.kind": "server", "notehive.user": "ana"},
        "TaskTemplate": {
            "Resources": {"Reservations": {"NanoCPUs": 500_000_000, "MemoryBytes": 1 << 30}}
        },
    },
    "other": {
        "Labels": {},
        "TaskTemplate": {"Resources": {"Reservations": {"MemoryBytes": 2 << 30}}},
    },
    "nh_pull-base-1": {
        "Labels": {"notehive.stack": "nh", "notehive.kind": "prepull", "notehive.image": "base"},
        "TaskTemplate": {},
    },
    "nh_registry-forwarder": {
        "Labels": {"notehive.stack": "nh", "notehive.kind": "platform"},
        "TaskTemplate": {},
    },
    "nh_wall": {
        "Labels": {"notehive.stack": "nh", "notehive.kind": "platform"},
        "TaskTemplate": {"ContainerSpec": {"Env": ["PORT=80", "NODES=10.0.0.7 10.0.0.8"]}},
    },
}


def described(**status: Any) -> dict[str, Any]:
    """A node as `docker node inspect` gives it."""
    return {
        "ID": "id-second",
        "Description": {
            "Hostname": "second",
            "Resources": {"NanoCPUs": 4_000_000_000, "MemoryBytes": 8 << 30},
        },
        "Status": {"State": "ready", "Addr": "10.0.0.8"},
        "Spec": {"Role": "worker", "Availability": "active", "Labels": {}},
        **status,
    }


def look(monkeypatch: pytest.MonkeyPatch, *tasks: Task, **more: Any) -> nodes.Node:
    """See a node that has these tasks."""
    monkeypatch.setattr(swarm, "nodes", lambda: [described(**more)])
    monkeypatch.setattr(swarm, "services", lambda: SERVICES)
    monkeypatch.setattr(swarm, "tasks", lambda node: list(tasks))
    (node,) = nodes.look("nh")
    return node


def running(service: str) -> Task:
    return Task(service, "Running", "Running", "")


FORWARDER = running("nh_registry-forwarder")
WALL = running("nh_wall")
NO_IMAGE = "No such image: r/base:2"


def test_what_runs_is_reserved(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Task("nh-ana", "Shutdown", "Shutdown", "")
    node = look(monkeypatch, running("nh-ana"), ended, running("other"), FORWARDER)
    assert (node.cpu, node.memory) == (4, 8 << 30)
    assert (node.reserved_cpu, node.reserved_memory) == (0.5, 3 << 30)
    assert node.servers == ["ana"]
    assert node.forwarder == nodes.RUNNING
    assert node.data is False


def test_a_manager_may_not_know_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    node = look(
        monkeypatch,
        Status={"State": "ready", "Addr": "127.0.0.1"},
        ManagerStatus={"Addr": "10.0.0.7:2377"},
    )
    assert node.address == "10.0.0.7"


@pytest.mark.parametrize(
    ("tasks", "state"),
    [
        ([], nodes.WAITING),
        ([("Shutdown", "Complete", "")], nodes.PRESENT),
        ([("Running", "Preparing", "")], nodes.PULLING),
        # It failed before, and is tried again.
        ([("Running", "Preparing", ""), ("Shutdown", "Rejected", NO_IMAGE)], nodes.PULLING),
        ([("Ready", "Rejected", NO_IMAGE)], NO_IMAGE),
        ([("Shutdown", "Complete", ""), ("Shutdown", "Rejected", NO_IMAGE)], nodes.PRESENT),
    ],
)
def test_what_became_of_an_image(
    tasks: list[tuple[str, str, str]], state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = look(monkeypatch, *(Task("nh_pull-base-1", *task) for task in tasks))
    assert node.images == {"base": state}
    assert node.present == (state == nodes.PRESENT)


FAILED = Task("nh_pull-base-1", "Ready", "Rejected", NO_IMAGE)
MISSING = Task("nh_registry-forwarder", "Ready", "Rejected", "No such image: f")
NO_WALL = Task("nh_wall", "Ready", "Failed", "task: non-zero exit (1)")
ELSEWHERE = {"Status": {"State": "ready", "Addr": "10.0.0.9"}}


@pytest.mark.parametrize(
    ("tasks", "more", "said"),
    [
        ([FORWARDER, WALL], {}, []),
        (
            [FORWARDER, NO_WALL],
            {},
            [
                "node second has no wall (task: non-zero exit (1)), and no server starts there; "
                "see the log of the service's container there"
            ],
        ),
        (
            [FORWARDER, WALL],
            ELSEWHERE,
            [
                "node second joined after the last `./notehive up`, and servers on other nodes "
                "reach its ports; run `./notehive up`"
            ],
        ),
        ([FORWARDER, FAILED], {}, [f"node second: image base: {NO_IMAGE}"]),
        # One sentence for one cause.
        (
            [MISSING, FAILED],
            {},
            [
                "node second cannot pull images (No such image: f); "
                "type there what `./notehive node join-command` prints, but its last line"
            ],
        ),
        (
            [],
            {"Status": {"State": "down", "Addr": "10.0.0.8"}},
            ["node second is down; switch it on, or forget it: `./notehive node remove second`"],
        ),
    ],
)
def test_what_is_wrong(
    tasks: list[Task], more: dict[str, Any], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert nodes.wrong([look(monkeypatch, *tasks, **more)]) == said


def test_two_nodes_of_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    node = look(monkeypatch)
    assert nodes.find([node], "id-second") is node
    with pytest.raises(BadInput, match=r"^second: 2 nodes have this name; use an id: id-second"):
        nodes.find([node, node], "second")


@pytest.mark.parametrize(
    ("settings", "address", "said"),
    [
        ("services: {registry: off}", "10.0.0.7", r"^services\.registry: is off"),
        ("{}", "127.0.0.1", r"^Docker Swarm: it was made at 127\.0\.0\.1"),
    ],
)
def test_where_no_node_can_join(
    settings: str, address: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = swarm.Membership(active=True, manager=True, node="id-first", address=address)
    monkeypatch.setattr(swarm, "require_usable", lambda: here)
    monkeypatch.setattr(swarm, "data_node", lambda stack: None)
    with pytest.raises(BadInput, match=said):
        join.require_possible(parse(settings))


def test_a_name_of_a_service_that_pulls_fits() -> None:
    """63 characters are the most that the Swarm takes."""
    longest = "a" * 24
    name = prepull.service(longest, longest, "r/x:1")
    assert len(name) <= 63
    assert name != prepull.service(longest, longest, "r/x:2")


def waited(monkeypatch: pytest.MonkeyPatch, *tasks: Task, **more: Any) -> str:
    """What `up` says of a node with these tasks, without waiting for long."""
    look(monkeypatch, *tasks, **more)
    return nodes.await_ready("nh", ["forwarder", "wall"], lambda text: None, seconds=-1)


DATA = {
    "Spec": {"Role": "manager", "Availability": "active", "Labels": {"notehive.nh.data": "true"}}
}


def test_up_waits_for_walls(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waited(monkeypatch, FORWARDER, WALL) == "1 ready"
    said = "0 ready; no server starts on second, see `./notehive status`"
    assert waited(monkeypatch, FORWARDER, NO_WALL) == said
    with pytest.raises(NotehiveError, match=r"^wall: not running after .*non-zero exit"):
        waited(monkeypatch, FORWARDER, NO_WALL, **DATA)
    with pytest.raises(NotehiveError, match=r"^registry-forwarder: not running"):
        waited(monkeypatch, WALL, **DATA)
