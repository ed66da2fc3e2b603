"""What a node tells of its containers: of a recorded one, and of one made from documentation."""

import shutil
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from notehive.metrics.cgroups import Version1, Version2, open_tree
from notehive.metrics.disk import Disk
from notehive.metrics.network import Network, Traffic
from notehive.metrics.node import Containers
from notehive.metrics.serve import registry
from tests.support.recorded import Node

MIB = 2**20
# Recorded: the registry's forwarder on the node's network, a hub and a MLflow.
FORWARDER, MLFLOW, HUB = "9111ddf00297", "440a47826446", "b9685a617400"
SYSTEMD, PLAIN = "a1a1a1a1a1a1", "b2b2b2b2b2b2"  # made by hand: by each driver of groups


@pytest.fixture
def one(tmp_path: Path) -> Node:
    return Node("node-cgroup-1", tmp_path)


@pytest.fixture
def two(tmp_path: Path) -> Node:
    return Node("node-cgroup-2", tmp_path)


def containers(node: Node) -> Containers:
    return Containers(open_tree(node.cgroup), Network(node.proc))


def told(node: Containers) -> dict[str, dict[str, float]]:
    """The figures of each container, without the beginning that all names have."""
    found: dict[str, dict[str, float]] = {}
    for metric in node.collect():
        for sample in metric.samples:
            name = sample.name.removeprefix("notehive_container_")
            found.setdefault(sample.labels["container"], {})[name] = sample.value
    return found


def test_version_1(one: Node) -> None:
    assert isinstance(open_tree(one.cgroup), Version1)
    found = told(containers(one))
    assert found.keys() == {FORWARDER, MLFLOW, HUB}
    assert found[MLFLOW] == {
        "cpu_seconds_total": 11.760153633,
        "memory_working_set_bytes": 442978304 - 30400512,
        "memory_limit_bytes": 2048 * MIB,
        "oom_kills_total": 0,
        "network_receive_bytes_total": 126 + 2394 + 343155,
        "network_transmit_bytes_total": 0 + 1444 + 486148,
    }


def test_version_2(two: Node) -> None:
    assert isinstance(open_tree(two.cgroup), Version2)
    found = told(containers(two))
    assert found.keys() == {SYSTEMD, PLAIN}
    assert found[SYSTEMD] == {
        "cpu_seconds_total": 61.5,
        "memory_working_set_bytes": 605028352 - 64 * MIB,
        "memory_limit_bytes": 1024 * MIB,
        "oom_kills_total": 2,
        "disk_read_bytes_total": 1459200 + 90430464,
        "disk_written_bytes_total": 314773504 + 299008000,
        "network_receive_bytes_total": 4096 + 100,
        "network_transmit_bytes_total": 1024 + 10,
    }


def test_what_has_no_limit_and_no_network_of_its_own(two: Node) -> None:
    assert told(containers(two))[PLAIN].keys() == {
        "cpu_seconds_total",
        "memory_working_set_bytes",
        "oom_kills_total",
    }


def test_version_1_without_a_limit_and_with_disks(one: Node) -> None:
    """As kernels before 5.18 count, which were not at hand: the form is their documentation's."""
    [group] = one.cgroup.glob(f"memory/docker/{MLFLOW}*")
    (group / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    (group / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
    rows = "8:0 Read 4096\n8:0 Write 512\n8:0 Total 4608\n8:16 Read 4\n8:16 Write 8\nTotal 4620\n"
    blkio = one.cgroup / "blkio/docker" / group.name
    (blkio / "blkio.throttle.io_service_bytes_recursive").write_text(rows)
    found = told(containers(one))[MLFLOW]
    assert "memory_limit_bytes" not in found
    assert (found["disk_read_bytes_total"], found["disk_written_bytes_total"]) == (4100, 520)
    assert found["oom_kills_total"] == 3


@pytest.mark.parametrize("file", ["memory.oom_control", "blkio"])
def test_what_old_or_small_kernels_lack(one: Node, file: str) -> None:
    [group] = one.cgroup.glob(f"memory/docker/{MLFLOW}*")
    if file == "blkio":
        shutil.rmtree(one.cgroup / "blkio")
    else:
        (group / file).write_text("oom_kill_disable 0\nunder_oom 0\n")
    found = told(containers(one))[MLFLOW]
    assert found["cpu_seconds_total"] == 11.760153633
    assert found["oom_kills_total"] == 0


@pytest.mark.parametrize("parent", ["", "system.slice", "kept/apart"])
def test_groups_are_found_wherever_the_engine_puts_them(one: Node, parent: str) -> None:
    for controller in ("memory", "cpuacct", "blkio"):
        elsewhere = one.cgroup / controller / parent / "docker-here"
        elsewhere.parent.mkdir(parents=True, exist_ok=True)
        (one.cgroup / controller / "docker").rename(elsewhere)
    assert told(containers(one)).keys() == {FORWARDER, MLFLOW, HUB}


def test_what_ends_while_it_is_read_is_left_out(one: Node) -> None:
    [group] = one.cgroup.glob(f"memory/docker/{HUB}*")
    (group / "memory.usage_in_bytes").unlink()
    assert told(containers(one)).keys() == {FORWARDER, MLFLOW}


def test_one_on_the_nodes_network_has_none_of_its_own(one: Node) -> None:
    assert Network(one.proc).traffic({FORWARDER, HUB}).keys() == {HUB}


def test_a_container_that_is_started_again_is_followed(one: Node) -> None:
    network = Network(one.proc)
    before = network.traffic({MLFLOW})
    # Its number is another container's now, and it has a new one.
    for file in ("cgroup", "net/dev"):
        (one.proc / "9982" / file).rename(one.proc / file.replace("/", "-"))
    (one.proc / "9982/cgroup").write_text("4:memory:/docker/" + "c" * 64 + "\n")
    (one.proc / "9982/net/dev").write_text("a\nb\n eth0: 7 0 0 0 0 0 0 0 8 0 0 0 0 0 0 0\n")
    (one.proc / "12000/net").mkdir(parents=True)
    (one.proc / "cgroup").rename(one.proc / "12000/cgroup")
    (one.proc / "net-dev").rename(one.proc / "12000/net/dev")
    assert network.traffic({MLFLOW}) == before
    assert network.traffic({"c" * 12}) == {"c" * 12: Traffic(7, 8)}


def test_any_process_of_a_container_tells_of_its_network(one: Node) -> None:
    network = Network(one.proc)
    before = network.traffic({MLFLOW})
    shutil.rmtree(one.proc / "9982")
    assert network.traffic({MLFLOW}) == before
    shutil.rmtree(one.proc / "10319")
    assert network.traffic({MLFLOW}) == {}


def test_this_very_machine_is_read(tmp_path: Path) -> None:
    """Whatever version it has, and whether or not containers run on it."""
    generate_latest(registry(Containers(open_tree(Path("/sys/fs/cgroup")), Network(Path("/proc")))))


def test_the_disk(tmp_path: Path) -> None:
    size, free = Disk("node-1", str(tmp_path)).collect()
    total = shutil.disk_usage(tmp_path).total
    assert [(s.labels, s.value) for s in size.samples] == [({"node": "node-1"}, total)]
    assert 0 < free.samples[0].value <= total


def test_its_text_is_prometheus_own(one: Node) -> None:
    text = generate_latest(registry(containers(one))).decode()
    assert f'notehive_container_oom_kills_total{{container="{HUB}"}} 0.0\n' in text
    assert "# TYPE notehive_container_cpu_seconds_total counter\n" in text
    assert "_created" not in text
