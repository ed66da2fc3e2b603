"""What is told of the Swarm and of the storage, from what engine and keeper answer."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric

from notehive.endings import OUT_OF_MEMORY
from notehive.guard import metrics as guarded
from notehive.hub import config
from notehive.hub.tasks import Task
from notehive.metrics import swarm as asking
from notehive.metrics import web
from notehive.metrics.swarm import Swarm, addresses, containers, nodes, storage, tasks
from notehive.metrics.swarm.__main__ import Source
from notehive.metrics.swarm.reasons import reason
from tests.support import bodies
from tests.support.engine import node, task
from tests.support.guard import Running, running

GIB = 2**30
NETWORK = {"Id": "net", "Name": "nh_users", "IPAM": {"Config": [{"Subnet": "10.96.0.0/24"}]}}
SERVER = {
    "notehive.kind": "server",
    "notehive.user": "ana",
    "notehive.server": "",
    "notehive.image": "datascience",
    "notehive.size": "small",
}
JOB = {
    "notehive.kind": "job",
    "notehive.group": "risk",
    "notehive.model": "churn",
    "notehive.pipeline": "train",
    "notehive.step": "prepare",
    "notehive.run": "manual__1",
    "notehive.try": "1",
}
PLATFORM = {"notehive.kind": "platform"}


def service(name: str, labels: dict[str, str], mode: Any = None) -> dict[str, Any]:
    own = {"notehive.stack": "nh", **labels}
    mode = mode or {"Replicated": {"Replicas": 1}}
    return {"ID": f"id-{name}", "Spec": {"Name": name, "Labels": own, "Mode": mode}}


def of(name: str, state: str = "running", container: str = "", **changes: Any) -> dict[str, Any]:
    """A task of a service, in a container where one is named."""
    status = {"ContainerStatus": {"ContainerID": container, "ExitCode": 0}} if container else {}
    status |= changes.pop("status", {})
    return task(state, ServiceID=f"id-{name}", status=status, **changes)


def swarm(**parts: Any) -> Swarm:
    told = {"nodes": [node()], "services": [], "tasks": [], "network": NETWORK, **parts}
    return Swarm(**told)


def told(metrics: Iterator[Metric]) -> dict[str, dict[tuple[str, ...], float]]:
    """The samples of each metric, by the values of its labels."""
    return {
        metric.name: {tuple(s.labels.values()): s.value for s in metric.samples}
        for metric in metrics
    }


# Whose a container is


def test_a_server_and_a_job() -> None:
    now = swarm(
        services=[service("nh-ana", SERVER), service("nh-job", JOB)],
        tasks=[of("nh-ana", container="a" * 64), of("nh-job", container="b" * 64)],
    )
    [info] = containers.metrics(now)
    found = [{k: v for k, v in sample.labels.items() if v} for sample in info.samples]
    assert found == [
        {
            "container": "a" * 12,
            "node": "node-1",
            "service": "nh-ana",
            "kind": "server",
            "user": "ana",
            "image": "datascience",
            "size": "small",
        },
        {
            "container": "b" * 12,
            "node": "node-1",
            "service": "nh-job",
            "kind": "job",
            "group": "risk",
            "model": "churn",
            "pipeline": "train",
            "step": "prepare",
        },
    ]
    assert {sample.value for sample in info.samples} == {1}


@pytest.mark.parametrize(
    "other",
    [
        of("of-another-stack", container="c" * 64),
        of("nh-ana", "complete", container="c" * 64),
        of("nh-ana", "preparing"),
        of("nh-ana", "running", status={"ContainerStatus": None}),
    ],
)
def test_what_is_not_ours_or_has_no_container_has_no_series(other: dict[str, Any]) -> None:
    [info] = containers.metrics(swarm(services=[service("nh-ana", SERVER)], tasks=[other]))
    assert info.samples == []


# Nodes


def test_nodes_and_what_is_reserved_on_them() -> None:
    reserved = {"Resources": {"Reservations": {"NanoCPUs": int(5e8), "MemoryBytes": GIB}}}
    now = swarm(
        nodes=[
            node("node-1", cpu=4, memory=8 * GIB, role="manager"),
            node("node-2", state="down"),
            node("node-3", availability="drain"),
        ],
        tasks=[
            of("a", Spec=reserved),
            of("of-another-stack", "starting", Spec=reserved),
            of("a", "failed", DesiredState="shutdown", Spec=reserved),
            of("a", "pending", NodeID="", Spec=reserved),
            # A node that is lost still has it: whether it runs there, nobody knows.
            of("a", "running", NodeID="n2", DesiredState="shutdown", Spec=reserved),
        ],
    )
    found = told(nodes.metrics(now))
    assert found["notehive_swarm_node_state"].keys() == {
        ("node-1", "manager", "ready"),
        ("node-2", "worker", "down"),
        ("node-3", "worker", "drained"),
    }
    assert found["notehive_swarm_node_cpu_cores"][("node-1",)] == 4
    assert found["notehive_swarm_node_memory_bytes"][("node-1",)] == 8 * GIB
    assert found["notehive_swarm_node_reserved_cpu_cores"] == {
        ("node-1",): 1.0,
        ("node-2",): 0.5,
        ("node-3",): 0.0,
    }
    assert found["notehive_swarm_node_reserved_memory_bytes"][("node-1",)] == 2 * GIB


def test_addresses() -> None:
    used = [{"Network": {"ID": "net", "Spec": {"Name": "nh_users"}}, "Addresses": ["10.96.0.9/24"]}]
    others = [{"Network": {"ID": "other", "Spec": {"Name": "x"}}, "Addresses": ["10.0.0.9/24"]}]
    now = swarm(
        nodes=[node("node-1"), node("node-2")],
        tasks=[of("a", NetworksAttachments=used)] * 3 + [of("b", NetworksAttachments=others)],
    )
    found = told(addresses.metrics(now))
    assert found["notehive_swarm_addresses"] == {(): 256}
    assert found["notehive_swarm_free_addresses"] == {(): 256 - 3 - 2 - 3}


# Tasks


def failed(code: int, error: str = "") -> dict[str, Any]:
    ended = {"Err": error, "ContainerStatus": {"ExitCode": code}}
    return task("failed", DesiredState="shutdown", status=ended)


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (task("running"), ""),
        (
            task("complete", DesiredState="shutdown", status={"ContainerStatus": {"ExitCode": 0}}),
            "",
        ),
        # Ended by the Swarm, as at an update.
        (task("shutdown", DesiredState="shutdown"), ""),
        (task("new"), ""),
        (failed(1, "task: non-zero exit (1)"), "exit"),
        (failed(137, "task: non-zero exit (137)"), "killed"),
        (failed(OUT_OF_MEMORY, f"task: non-zero exit ({OUT_OF_MEMORY})"), "memory"),
        (failed(137, "task: non-zero exit (137): dockerexec: unhealthy container"), "unhealthy"),
        (
            task("pending", status={"Err": "no suitable node (insufficient resources on 1 node)"}),
            "resources",
        ),
        (
            task("pending", status={"Err": "no suitable node (scheduling constraints not satis"}),
            "placement",
        ),
        (task("rejected", status={"Err": "No such image: notehive/x:1"}), "image"),
        (task("rejected", status={"Err": 'invalid mount config for type "bind"'}), "mount"),
        (task("rejected", status={"Err": "network sandbox join failed"}), "network"),
        (task("rejected", status={"Err": "something that nobody has heard of"}), "other"),
        (task("orphaned", DesiredState="shutdown"), "node"),
    ],
)
def test_why_a_task_does_not_run(found: dict[str, Any], word: str) -> None:
    assert reason(Task.read(found)) == word


def test_tasks_are_counted_by_kind_state_and_reason() -> None:
    now = swarm(
        services=[service("nh-ana", SERVER), service("nh_hub", PLATFORM)],
        tasks=[
            of("nh-ana"),
            of("nh_hub"),
            of("nh_hub", "failed", DesiredState="shutdown", status={"Err": "No such image"}),
            of("nh_hub", "failed", DesiredState="shutdown", status={"Err": "No such image"}),
            of("of-another-stack"),
        ],
    )
    assert told(tasks.metrics(now))["notehive_swarm_tasks"] == {
        ("server", "running", ""): 1,
        ("platform", "running", ""): 1,
        ("platform", "failed", "image"): 2,
    }


def test_services_of_the_platform_that_are_short_of_tasks() -> None:
    everywhere: dict[str, Any] = {"Global": {}}
    now = swarm(
        services=[
            service("nh_hub", PLATFORM),
            service("nh_off", PLATFORM, {"Replicated": {"Replicas": 0}}),
            service("nh_wall", PLATFORM, everywhere),
            service("nh-ana", SERVER),
        ],
        tasks=[
            of("nh_hub", "starting"),
            of("nh_hub", "running", DesiredState="shutdown"),
            of("nh_wall", "running"),
            of("nh_wall", "preparing", NodeID="n2"),
            of("nh_wall", "running", NodeID="n3", DesiredState="shutdown"),
        ],
    )
    found = told(tasks.metrics(now))
    assert found["notehive_swarm_service_tasks_wanted"] == {
        ("nh_hub",): 1,
        ("nh_off",): 0,
        ("nh_wall",): 2,
    }
    assert found["notehive_swarm_service_tasks_running"] == {
        ("nh_hub",): 0,
        ("nh_off",): 0,
        ("nh_wall",): 1,
    }


# Who is asked


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Running]:
    with running(bodies.config(), tmp_path, calls=guarded.calls) as guard:
        env = {"TaskTemplate": {"ContainerSpec": {"Env": ["PASSWORD=s3cr3t"]}}}
        ours, others = service("nh_hub", PLATFORM), service("theirs", {"notehive.stack": "other"})
        ours["Spec"] |= env
        others["Spec"] |= env
        job = of("nh_hub", container="d" * 64)
        job["Spec"] = {"ContainerSpec": {"Env": ["PASSWORD=s3cr3t"]}, "Resources": {}}
        guard.engine.found |= {
            "/nodes": [node()],
            "/services": [ours, others],
            "/tasks": [job],
            "/networks/nh_users": NETWORK,
        }
        yield guard


def test_the_swarm_is_asked_through_the_guard(
    guard: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "API", f"http://127.0.0.1:{guard.port}/v1.41")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    now = Swarm.ask("nh")
    [info] = containers.metrics(now)
    assert [(s.labels["container"], s.labels["service"]) for s in info.samples] == [
        ("d" * 12, "nh_hub")
    ]
    assert list(now.services) == ["id-nh_hub"]
    assert "s3cr3t" not in json.dumps([now.nodes, list(now.services.values()), now.tasks])


@pytest.mark.parametrize(
    "call",
    [
        ("GET", "/v1.41/secrets"),
        ("GET", "/v1.41/services/id-nh_hub"),
        ("GET", "/v1.41/services/id-nh_hub/logs?stdout=1&stderr=1"),
        ("GET", "/v1.41/containers/json"),
        ("GET", "/v1.41/networks/bridge"),
        ("DELETE", "/v1.41/services/id-nh_hub"),
        ("POST", "/v1.41/services/create"),
        ("POST", "/v1.41/nodes/n1/update"),
    ],
)
def test_the_guard_lets_nothing_else_through(guard: Running, call: tuple[str, str]) -> None:
    method, path = call
    body = b"{}" if method == "POST" else None
    assert guard.ask(method, path, body).status == 403
    assert guard.engine.reached == []


def test_the_keeper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = []

    class Keeper(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.append((self.path, self.headers["Authorization"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(
                b'{"homes": {"ana-01": 5}, "shared": {"risk": 7}, "free": 80, "total": 100}'
            )

    (tmp_path / "usage-token").write_text("usages\n")
    monkeypatch.setattr(config, "SECRETS", tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Keeper)
    threading.Thread(target=server.serve_forever).start()
    monkeypatch.setattr(storage, "URL", f"http://127.0.0.1:{server.server_port}/usage")
    try:
        found = told(storage.metrics(storage.ask()))
    finally:
        server.shutdown()
        server.server_close()
    assert shown == [("/usage", "Bearer usages")]
    assert found["notehive_storage_used_bytes"] == {("homes", "ana-01"): 5, ("shared", "risk"): 7}
    assert found["notehive_storage_free_bytes"] == {(): 80}
    assert found["notehive_storage_size_bytes"] == {(): 100}


def failing(error: Exception) -> Callable[[], list[Metric]]:
    def ask() -> list[Metric]:
        raise error

    return ask


def test_one_that_does_not_answer_is_told_as_such() -> None:
    assert told(Source("swarm", failing(OSError("no route"))).collect()) == {
        "notehive_swarm_up": {(): 0}
    }
    answered = Source("swarm", lambda: list(nodes.metrics(swarm())))
    found = told(answered.collect())
    assert found.pop("notehive_swarm_up") == {(): 1}
    assert found.keys() >= {"notehive_swarm_node_state"}


@pytest.mark.parametrize("answer", [b"", b"<html>", b"HTTP/1.1 200 OK\r\n\r\nno json"])
def test_what_is_no_answer_is_an_error_of_the_network(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(OSError):
            web.read(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        thread.join()
