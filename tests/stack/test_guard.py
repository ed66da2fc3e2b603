"""The guarded Docker API on a real engine: what somebody can do who has the hub's container."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from notehive.platform import machine
from tests.support.bodies import CONTAINER, TASK, Path, mount, spoiled, volume
from tests.support.hub import User, user
from tests.support.site import Site, docker, wait_for

V = "/v1.41"
# Runs in a container: makes calls, each on a connection of its own; gives statuses and bodies.
CALLS = """
import http.client, json, sys
found = []
for method, path, body in json.load(sys.stdin):
    connection = http.client.HTTPConnection("guard", 2375, timeout=30)
    data = None if body is None else json.dumps(body)
    connection.request(method, path, data, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    found.append([answer.status, answer.read().decode()])
json.dump(found, sys.stdout)
"""
# Prints what the kernel says of the process that runs a module.
STATUS = """
import glob, json, sys
for path in glob.glob("/proc/[0-9]*/cmdline"):
    if sys.argv[1] in open(path).read().split("\\0")[:3]:
        lines = open(path.replace("cmdline", "status")).read().splitlines()
        print(json.dumps([line.split(":\\t") for line in lines if ":\\t" in line]))
        break
"""
# Says whether it is the guard that answers: a proxy on the way may answer for every address.
CONNECT = """
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], 2375, timeout=2)
try:
    connection.request("GET", "/version")
    print("reached" if b"ApiVersion" in connection.getresponse().read() else "somebody else")
except (OSError, http.client.HTTPException) as error:
    print("not reached:", error)
"""


def ask(site: Site, *calls: tuple[str, str, Any]) -> list[tuple[int, Any]]:
    """Make calls from the hub's container; give statuses and what the bodies say."""
    command = ("exec", "--interactive", site.container("hub"), "python3", "-c", CALLS)
    found = json.loads(docker(*command, stdin=json.dumps(calls)))
    return [(status, json.loads(body) if body else None) for status, body in found]


@pytest.fixture(scope="module")
def gil(site: Site) -> Iterator[User]:
    """A user with a server."""
    with user(site, "gil") as gil:
        gil.start(image="base", size="small")
        yield gil


def rights(site: Site, service: str) -> dict[str, str]:
    """What the kernel says of a service's own process: users, groups, capabilities."""
    lines = json.loads(site.exec(service, "python3", "-c", STATUS, f"notehive.{service}"))
    return dict(lines)


def test_the_hub_has_no_socket_and_no_right(site: Site) -> None:
    has = rights(site, "hub")
    assert has["Uid"].split() == ["999"] * 4
    assert has["Gid"].split() == ["999"] * 4 and set(has["Groups"].split()) <= {"999"}
    assert (int(has["CapBnd"], 16), has["NoNewPrivs"]) == (0, "1")
    assert site.exec("hub", "find", "/run", "/var/run/", "-name", "docker*", check=False) == ""


def test_the_guard_has_the_sockets_group_and_no_right(site: Site) -> None:
    has, group = rights(site, "guard"), str(machine.socket_group())
    assert has["Uid"].split() == ["999"] * 4
    assert has["Gid"].split() == [group] * 4 and set(has["Groups"].split()) <= {group}
    assert (int(has["CapBnd"], 16), has["NoNewPrivs"]) == (0, "1")


def test_what_the_hub_needs_it_may(site: Site, gil: User) -> None:
    labels = json.dumps({"label": [f"notehive.stack={site.name}"]}).replace(" ", "")
    version, tasks, nodes, network, services, secrets, service = ask(
        site,
        ("GET", "/version", None),
        ("GET", f"{V}/tasks", None),
        ("GET", f"{V}/nodes", None),
        ("GET", f"{V}/networks/{site.name}_users", None),
        ("GET", f"{V}/services?filters={labels}".replace('"', "%22"), None),
        ("GET", f"{V}/secrets", None),
        ("GET", f"{V}/services/{gil.service}", None),
    )
    every = (version, tasks, nodes, network, services, secrets, service)
    assert [status for status, _ in every] == [200] * 7
    assert {s["Spec"]["Labels"]["notehive.kind"] for s in services[1]} == {"server"}
    assert {s["Spec"]["Labels"]["notehive.kind"] for s in secrets[1]} == {"token"}
    text = json.dumps([data for _, data in every])
    for hidden in ("Env", "ContainerSpec", "JoinTokens", "TLSInfo", "docker.sock", "PGPASSFILE"):
        assert hidden not in text


def test_everything_else_it_may_not(site: Site, gil: User) -> None:
    postgres, server = site.container("postgres"), site.container(gil.service)
    secret = site.services()[f"{site.name}_postgres"]
    cookies = docker("secret", "ls", "--quiet", "--filter", f"name={site.name}_hub-cookie.")
    cookie = cookies.split()[0]
    calls = [
        *(("GET", f"{V}{path}") for path in ("/info", "/swarm", "/swarm/unlockkey", "/events")),
        *(("GET", f"{V}{path}") for path in ("/images/json", "/volumes", "/configs", "/plugins")),
        *(("GET", f"{V}/containers/{of}/json") for of in (postgres, server)),
        *(("GET", f"{V}/containers/{of}/logs?stdout=1") for of in (postgres, server)),
        *(("GET", f"{V}/containers/{of}/archive?path=/etc") for of in (postgres, server)),
        *(("POST", f"{V}/containers/{of}/exec") for of in (postgres, server)),
        *(("POST", f"{V}{path}") for path in ("/containers/create", "/build", "/volumes/create")),
        *(("POST", f"{V}{path}") for path in ("/swarm/unlock", "/swarm/leave", "/images/load")),
        *(("POST", f"{path}") for path in ("/grpc", "/session", f"{V}/plugins/pull?remote=x")),
        ("POST", f"{V}/services/{gil.service}/update?version=1"),
        ("GET", f"{V}/services/{site.name}_postgres"),
        ("GET", f"{V}/services/{secret[:12]}"),
        ("DELETE", f"{V}/services/{site.name}_postgres"),
        ("DELETE", f"{V}/services/{secret[:12]}"),
        ("DELETE", f"{V}/secrets/{cookie}"),
        ("GET", f"{V}/networks/{site.name}_data"),
        ("GET", "/v1.40/tasks"),
        ("GET", "/containers/json"),
    ]
    bodies: list[Any] = [{} if method == "POST" else None for method, _ in calls]
    found = ask(site, *((m, p, b) for (m, p), b in zip(calls, bodies, strict=True)))
    for call, (status, data) in zip(calls, found, strict=True):
        assert status == 403, call
        assert data["message"], call
    assert site.container("postgres") == postgres


ATTACKS: list[tuple[Path, Any]] = [
    ((*CONTAINER, "Mounts"), [mount("/")]),
    ((*CONTAINER, "Mounts"), [mount("/var/run/docker.sock")]),
    ((*CONTAINER, "Mounts"), [volume("any", type="none", o="bind", device="/")]),
    ((*CONTAINER, "CapabilityAdd"), ["CAP_SYS_ADMIN"]),
    ((*CONTAINER, "Privileges"), {"Seccomp": {"Mode": "unconfined"}}),
    ((*CONTAINER, "User"), "0"),
    ((*TASK, "Networks"), [{"Target": "host"}]),
    (("EndpointSpec", "Ports"), [{"TargetPort": 22, "PublishedPort": 2222}]),
    (("Mode",), {"Global": {}}),
    (("Labels", "notehive.user"), "somebody"),
]


def test_a_service_is_as_a_server_is_or_not_at_all(site: Site, gil: User) -> None:
    """The running server's own body is let through, up to the engine; changed, it is not."""
    (found,) = json.loads(docker("service", "inspect", gil.service))
    body: dict[str, Any] = found["Spec"]
    # What the engine has added, and the name of the network, of which it made an id.
    for added in ("UpdateConfig", "RollbackConfig"):
        body.pop(added, None)
    for added in ("DNSConfig", "Isolation"):
        body["TaskTemplate"]["ContainerSpec"].pop(added, None)
    body["TaskTemplate"]["Networks"] = [{"Target": f"{site.name}_users"}]
    same, *changed = ask(
        site,
        ("POST", f"{V}/services/create", body),
        *(("POST", f"{V}/services/create", spoiled(body, *attack)) for attack in ATTACKS),
    )
    assert same[0] == 409, same
    for attack, (status, data) in zip(ATTACKS, changed, strict=True):
        assert status == 403, attack
        assert data["message"], attack


def test_nobody_else_reaches_the_guard(site: Site, gil: User) -> None:
    (guard,) = json.loads(docker("inspect", site.container("guard")))
    (network,) = guard["NetworkSettings"]["Networks"].values()
    for service in ("gate", "mlflow", "storage", gil.service):
        for host in ("guard", network["IPAddress"]):
            said = site.exec(service, "python3", "-c", CONNECT, host)
            assert said and said != "reached", (service, host)
    assert site.exec("hub", "python3", "-c", CONNECT, "guard") == "reached"


@pytest.mark.long
@pytest.mark.parametrize("moment", ["before", "while the server starts"])
def test_a_guard_that_starts_again_meanwhile(site: Site, moment: str) -> None:
    """The server comes all the same: what could not be asked is asked again."""
    with user(site, "ivy") as ivy, ThreadPoolExecutor() as pool:
        if moment == "before":
            docker("kill", site.container("guard"))
        start = pool.submit(ivy.start, image="base", size="small")
        if moment != "before":
            wait_for("its service", ivy.objects)
            docker("kill", site.container("guard"))
        assert start.result() in site.services()
        ivy.stop()
