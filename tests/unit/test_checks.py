"""What is looked at before anything is changed. The engine's answers are stand-ins."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notehive import docker
from notehive.errors import BadInput
from notehive.platform import checks, machine, services, swarm
from notehive.settings import GIB, Settings, parse


@pytest.mark.parametrize(
    ("memory", "free", "installed", "message"),
    [
        (2 * GIB, 12 * GIB, False, ""),
        (2 * GIB - 1, 12 * GIB, False, "memory: this machine has 2G, Notehive needs 2G; use a"),
        (GIB, 100 * GIB, True, "memory: this machine has 1G, Notehive needs 2G; use a larger"),
        (8 * GIB, 11 * GIB, False, "disk: /var/lib has 11G free, 12G are needed; make room"),
        (8 * GIB, 2 * GIB, True, ""),
        (8 * GIB, GIB, True, "disk: /var/lib has 1G free, 2G are needed; make room"),
    ],
)
def test_machine(memory: int, free: int, installed: bool, message: str) -> None:
    def judge() -> None:
        checks.judge_machine(memory, free, Path("/var/lib"), installed=installed)

    if not message:
        judge()
        return
    with pytest.raises(BadInput) as raised:
        judge()
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ca_bundle: /no/such/file", "ca_bundle: /no/such/file: No such file or directory"),
        ("ca_bundle: /etc/hostname", "ca_bundle: /etc/hostname: holds no certificate in PEM form"),
        ("images: {spark: {}}", "images.spark: there is no notebooks-images/spark/Dockerfile"),
    ],
)
def test_settings_that_name_what_is_not_there(text: str, message: str) -> None:
    with pytest.raises(BadInput) as raised:
        checks.check_settings(parse(text))
    assert str(raised.value).startswith(message)


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for a machine without an engine."""
    monkeypatch.setattr(machine, "engine_version", lambda: "")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """A stand-in for an engine, whose answers the test fills in: to ``ps``, and its networks."""
    answers: dict[str, list[dict[str, Any]]] = {"ps": [], "network": [], "services": []}
    monkeypatch.setattr(machine, "engine_version", lambda: "28.0")
    monkeypatch.setattr(docker, "objects", lambda verb, *rest: iter(answers[verb]))
    monkeypatch.setattr(docker, "inspect", lambda kind, *names: answers[kind])
    manager = swarm.Membership(active=True, manager=True, node="n", address="10.0.0.1")
    monkeypatch.setattr(swarm, "membership", lambda: manager)
    monkeypatch.setattr(services, "listed", lambda name: answers["services"])
    return answers


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this process listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free() -> int:
    """A port that nobody listens on, nor on the next."""
    for port in range(20000, 30000, 2):
        if not machine.listeners(port) and not machine.listeners(port + 1):
            return port
    raise AssertionError


OFF = "services:\n  registry: off"


@pytest.mark.usefixtures("no_engine")
def test_free_ports(free: int) -> None:
    settings = parse(f"url: http://x:{free}\n{OFF}")
    assert checks.check_ports(settings) == str(free)


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ("url: http://x:{taken}\n" + OFF, "url"),
        ("url: http://x:{free}\nnetwork:\n  registry_port: {taken}", "network.registry_port"),
        ("url: http://x:{free}\nnetwork:\n  registry_port: {before}", "network.registry_port"),
    ],
)
def test_a_taken_port(settings: str, key: str, taken: int, free: int) -> None:
    filled = settings.format(taken=taken, before=taken - 1, free=free)
    with pytest.raises(BadInput) as raised:
        checks.check_ports(parse(filled))
    message = str(raised.value)
    assert message.startswith(f"port {taken} is taken by python")
    assert f"; stop it, or choose another with {key}" in message


def test_a_port_that_a_container_has(engine: dict[str, list[dict[str, Any]]], taken: int) -> None:
    engine["ps"] = [{"Names": "grafana"}]
    with pytest.raises(BadInput, match=rf"^port {taken} is taken by the container grafana; stop"):
        checks.check_ports(parse(f"url: http://x:{taken}\n{OFF}"))


def running(published: list[int], env: list[str]) -> dict[str, Any]:
    ports = [{"PublishedPort": port} for port in published]
    return {
        "Endpoint": {"Spec": {"Ports": ports} if ports else {}},
        "Spec": {"TaskTemplate": {"ContainerSpec": {"Env": env} if env else {}}},
    }


def test_a_running_stack_has_its_own_ports(
    engine: dict[str, list[dict[str, Any]]], taken: int, free: int
) -> None:
    settings = parse(f"url: http://x:{free}\nnetwork: {{registry_port: {taken}}}")
    engine["services"] = [
        running([free], ["PORT=" + str(free), "SERVICES=nginx hub"]),
        running([], []),
        running([], [f"PORT={taken}", "REGISTRY=10.0.0.1:5001"]),
    ]
    assert checks.own_ports("nh") == {free, taken}
    engine["services"].append(running([taken + 1], []))
    assert str(taken) in checks.check_ports(settings)


def test_another_stacks_port_is_taken(engine: dict[str, list[dict[str, Any]]], taken: int) -> None:
    engine["services"] = [running([80], [])]
    with pytest.raises(BadInput, match=f"port {taken} is taken"):
        checks.check_ports(parse(f"url: http://x:{taken}\n{OFF}"))


@pytest.mark.usefixtures("no_engine")
def test_a_subnet_with_an_address_of_this_machine() -> None:
    with pytest.raises(BadInput) as raised:
        checks.check_network(parse("network: {users: 127.0.0.0/16}"))
    assert str(raised.value) == (
        "network.users: 127.0.0.0/16 holds 127.0.0.1 of this machine's lo; choose another subnet"
    )


@pytest.mark.usefixtures("no_engine")
def test_a_subnet_of_nobody() -> None:
    settings = parse("network: {users: 198.51.100.0/24}")  # reserved for documentation
    assert checks.check_network(settings) == "users at 198.51.100.0/24"


def test_the_subnet_of_a_running_stack(engine: dict[str, list[dict[str, Any]]]) -> None:
    engine["network"] = [{"IPAM": {"Config": [{"Subnet": "10.96.0.0/16"}]}}]
    assert checks.check_network(Settings()) == "users at 10.96.0.0/16"
    with pytest.raises(BadInput) as raised:
        checks.check_network(parse("network: {users: 10.97.0.0/16}"))
    assert str(raised.value) == (
        "network.users: the network of the running stack is 10.96.0.0/16; "
        "to change it, `./notehive down` first"
    )


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize(
    ("root", "debian", "message"),
    [
        (True, True, ""),
        (False, True, "Docker: no engine answers this user; run as root, or install Docker Eng"),
        (True, False, "Docker: no engine answers, and this is no Debian or Ubuntu: install Dock"),
    ],
)
def test_an_engine_can_be_had(
    root: bool, debian: bool, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "is_root", lambda: root)
    monkeypatch.setattr(machine, "is_debian_like", lambda: debian)
    if not message:
        assert checks.check_engine(Settings()) == "none answers; it will be installed and started"
        return
    with pytest.raises(BadInput) as raised:
        checks.check_engine(Settings())
    assert str(raised.value).startswith(message)


def test_an_engine_whose_client_cannot_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "engine_version", lambda: "28.0")
    monkeypatch.setattr(docker, "client", lambda: "/usr/bin/docker")
    monkeypatch.setattr(docker, "can_build", lambda path: False)
    with pytest.raises(BadInput, match=r"^/usr/bin/docker: this Docker client cannot build"):
        checks.check_engine(Settings())
