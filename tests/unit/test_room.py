"""Why there is no place, in words that say what to do."""

from typing import Any

import pytest

from notehive.hub.room import Need, addresses_left, judge
from tests.support.engine import node, task

GIB = 2**30


def need(cpu: float = 1, memory: int = 2 * GIB, *constraints: str, **generic: int) -> Need:
    return Need(cpu, memory, generic, constraints)


def reserving(on: str, cpu: float = 0, memory: int = 0, **generic: int) -> dict[str, Any]:
    resources: dict[str, Any] = {"NanoCPUs": int(cpu * 1e9), "MemoryBytes": memory}
    resources["GenericResources"] = [
        {"NamedResourceSpec": {"Kind": kind, "Value": f"{kind}-{number}"}}
        for kind, count in generic.items()
        for number in range(count)
    ]
    return task(NodeID=on, Spec={"Resources": {"Reservations": resources}})


LARGE, SMALL = node("node-1", cpu=8, memory=16 * GIB), node("node-2", cpu=2, memory=64 * GIB)
DATA = "node.labels.notehive.nh.data == true"


@pytest.mark.parametrize(
    ("wish", "nodes", "tasks", "hopeless", "words"),
    [
        (
            need(1, 128 * GIB),
            [LARGE, SMALL],
            [],
            True,
            "no node is large enough: 128 GB of memory must be free for this size, "
            "and the largest node has 64 GB of memory",
        ),
        (
            need(16),
            [LARGE, SMALL],
            [],
            True,
            "no node is large enough: 16 CPUs must be free for this size, "
            "and the largest node has 8 CPUs",
        ),
        (
            need(4, 32 * GIB),
            [LARGE, SMALL],
            [],
            True,
            "no node is large enough: none has 4 CPUs and 32 GB of memory together",
        ),
        (
            need(gpu=1),
            [LARGE],
            [],
            True,
            "no node is large enough: 1 gpu must be free for this size, "
            "and the largest node has none",
        ),
        (
            need(1, 12 * GIB),
            [LARGE, node("node-3", memory=12 * GIB)],
            [reserving("n1", memory=8 * GIB), reserving("n3", memory=GIB)],
            False,
            "no node has 12 GB of memory free; 2 nodes checked",
        ),
        (
            need(gpu=1),
            [node("node-1", generic={"gpu": 2})],
            [reserving("n1", gpu=2)],
            False,
            "no node has 1 gpu free; 1 node checked",
        ),
        (
            # One is short of CPU and the other of memory
            need(4, 8 * GIB),
            [LARGE, node("node-3", cpu=8, memory=16 * GIB)],
            [reserving("n1", cpu=8), reserving("n3", memory=16 * GIB)],
            False,
            "no node has 4 CPUs and 8 GB of memory free; 2 nodes checked",
        ),
        (
            need(1, GIB, "node.labels.disk == ssd"),
            [LARGE, SMALL],
            [],
            True,
            "no node of the Swarm satisfies node.labels.disk == ssd",
        ),
        (
            need(1, GIB, DATA),
            [LARGE, node("node-3", labels={"notehive.nh.data": "true"}, state="down")],
            [],
            True,
            "no node that may run it is there: node-3 is down",
        ),
        (
            need(),
            [node("node-1", availability="drain"), node("node-2", availability="pause")],
            [],
            True,
            "no node that may run it is there: node-1 is drained, node-2 is paused",
        ),
    ],
)
def test_judge(wish: Need, nodes: Any, tasks: Any, hopeless: bool, words: str) -> None:
    assert judge(wish, nodes, tasks) == (hopeless, words)


@pytest.mark.parametrize(
    ("constraint", "fits"),
    [
        ("node.hostname==node-1", True),
        ("node.hostname != node-1", False),
        ("node.role == worker", True),
        ("node.role == manager", False),
        ("node.labels.zone == EU", True),
        ("node.labels.zone != eu", False),
        ("node.labels.other != eu", True),
        ("node.platform.os == linux", True),
        ("node.ip == 10.0.0.0/8", True),  # not ours to judge
        ("nonsense", True),
    ],
)
def test_constraints(constraint: str, fits: bool) -> None:
    """As SwarmKit reads them: without regard to upper and lower case."""
    found = judge(need(99, GIB, constraint), [node(labels={"zone": "eu"})], [])
    assert found.words.startswith("no node is large enough" if fits else "no node of the Swarm")


def test_addresses_left() -> None:
    network = {"Id": "net", "IPAM": {"Config": [{"Subnet": "10.9.0.0/29"}]}}
    attached = {"Network": {"ID": "net"}, "Addresses": ["10.9.0.3/29"]}
    waiting = {"Network": {"ID": "net"}, "Addresses": []}
    other = {"Network": {"ID": "another"}, "Addresses": ["10.8.0.3/24"]}
    tasks = [task(NetworksAttachments=[each]) for each in (attached, waiting, other)]
    assert addresses_left(network, [*tasks, task()], 1) == (3, 8)
    assert addresses_left(network, [tasks[0]] * 9, 1) == (0, 8)
