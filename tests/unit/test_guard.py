"""The guard as the hub meets it: real HTTP, the hub's own client, a stand-in of the engine."""

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from docker.errors import APIError

from notehive.guard import hub
from notehive.hub import tokens
from notehive.hub.engine import Engine, unsent
from notehive.hub.sweep import sweep
from tests.support import bodies
from tests.support.engine import node, task
from tests.support.guard import Running, running

CONFIG = bodies.config()
SERVER = {"notehive.stack": "nh", "notehive.kind": "server", "notehive.user": "ana"}
TOKEN = {**SERVER, "notehive.kind": "token", "notehive.server": ""}
OURS, THEIRS = "a1b2c3", "d4e5f6"
V = "/v1.41"


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Running]:
    with running(CONFIG, tmp_path) as guard:
        found = guard.engine.found
        found["/version"] = {"ApiVersion": "1.41", "Version": "20.10", "KernelVersion": "6.1"}
        guard.engine.has("services", "nh-ana", OURS, SERVER)
        guard.engine.has("services", "nh_postgres", THEIRS, {"notehive.stack": "nh"})
        guard.engine.has("secrets", "nh-ana-token", "5ec2e7", TOKEN)
        guard.engine.has("secrets", "nh_hub-cookie", "f00d", {"notehive.stack": "nh"})
        for kind in ("services", "secrets"):
            every = [value for key, value in found.items() if key.startswith(f"/{kind}/")]
            found[f"/{kind}"] = list({each["ID"]: each for each in every}.values())
        found["/tasks"] = [{**task(), "Spec": {"ContainerSpec": {"Env": ["PASSWORD=hush"]}}}]
        found["/nodes"] = [{**node(), "ManagerStatus": {"Addr": "10.0.0.7:2377"}}]
        network = {"Id": "n", "Name": "nh_users", "IPAM": {"Config": [{"Subnet": "10.96.0.0/16"}]}}
        found["/networks/nh_users"] = {**network, "Peers": [{"IP": "10.0.0.7"}], "Containers": {}}
        yield guard


@pytest.fixture
def engine(guard: Running, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The hub's client of the guard."""
    monkeypatch.setenv("DOCKER_HOST", guard.address)
    return Engine()


def call(engine: Engine, method: str, *args: Any, **options: Any) -> Any:
    return asyncio.run(engine.call(method, *args, **options))


# What the hub does


def test_the_hub_looks_around(guard: Running, engine: Engine) -> None:
    """By docker-py, and nothing that it is told holds an environment or an address of the Swarm."""
    chosen = {"label": ["notehive.stack=nh"], "desired-state": "running"}
    assert call(engine, "tasks", filters=chosen)[0]["Status"]["State"] == "running"
    assert asyncio.run(engine.nodes())["n1"]["Description"]["Hostname"] == "node-1"
    network = asyncio.run(engine.find("network", "nh_users")) or {}
    assert network["IPAM"]["Config"] == [{"Subnet": "10.96.0.0/16"}]
    service = asyncio.run(engine.find("service", "nh-ana")) or {}
    assert service["Spec"] == {"Name": "nh-ana", "Labels": SERVER}
    assert asyncio.run(engine.find("service", "nh-gone")) is None
    told = json.dumps([network, service, call(engine, "tasks"), call(engine, "nodes")])
    for hidden in ("hush", "10.0.0.7", "Env", "Peers", "ContainerSpec", "ManagerStatus"):
        assert hidden not in told
    paths = [reached.path for reached in guard.engine.reached]
    assert paths[0] == "/version"
    assert any("desired-state" in path for path in paths), "the filters are sent on"


def test_the_hub_makes_a_server(guard: Running, engine: Engine) -> None:
    labels = {**bodies.server(CONFIG)["Labels"], "notehive.kind": "token"}
    name = bodies.server(CONFIG)["Name"]
    reference = asyncio.run(tokens.create(engine, name, "t0ken" * 8, labels))
    assert reference["SecretID"] == "new"
    body = bodies.server(CONFIG)
    guard.engine.found |= {f"/secrets/{k}": v for k, v in bodies.secrets("ana", "").items()}
    answer = guard.ask("POST", f"{V}/services/create", body)
    assert (answer.status, answer.data) == (201, {"ID": "new", "Warnings": None})
    secret, service = guard.engine.changes
    assert json.loads(secret.body)["Labels"] == labels
    assert json.loads(service.body)["TaskTemplate"]["ContainerSpec"]["Image"] == "base"


def test_the_hub_sweeps_what_is_its_own(guard: Running, engine: Engine) -> None:
    assert asyncio.run(sweep(engine, "nh", {})) == ["nh-ana", "nh-ana-token"]
    gone = [(reached.method, reached.path) for reached in guard.engine.changes]
    assert gone == [("DELETE", f"{V}/services/{OURS}"), ("DELETE", f"{V}/secrets/5ec2e7")]


def test_what_the_engine_says_is_passed_on(guard: Running, engine: Engine) -> None:
    assert asyncio.run(engine.discard("service", "nh-gone")) is False
    answer = guard.ask("GET", f"{V}/services/nh-gone")
    assert (answer.status, answer.data) == (404, {"message": "/services/nh-gone not found"})


def test_an_engine_that_is_away_is_an_error_of_the_api(tmp_path: Path) -> None:
    with running(CONFIG, tmp_path) as guard:
        (tmp_path / "docker.sock").unlink()
        answer = guard.ask("GET", f"{V}/nodes")
        assert answer.status == 503
        assert "engine does not answer" in answer.message


# What it may not


@pytest.mark.parametrize("name", ["nh_postgres", THEIRS, "d4"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_others_services_are_not_shown_nor_removed(guard: Running, method: str, name: str) -> None:
    guard.engine.found["/services/d4"] = guard.engine.found[f"/services/{THEIRS}"]
    answer = guard.ask(method, f"{V}/services/{name}")
    assert answer.status == 403
    assert "labels" in answer.message
    assert guard.engine.changes == []


def test_removal_is_by_the_id_of_what_was_looked_at(guard: Running) -> None:
    assert guard.ask("DELETE", f"{V}/services/nh-ana").status == 200
    assert [reached.path for reached in guard.engine.changes] == [f"{V}/services/{OURS}"]


def test_lists_hold_what_is_ours_alone(guard: Running) -> None:
    for kind in ("services", "secrets"):
        names = {each["Spec"]["Name"] for each in guard.ask("GET", f"{V}/{kind}").data}
        assert all(name.startswith("nh-ana") for name in names) and names


FORBIDDEN = [
    *(("GET", path) for path in ("/info", "/system/df", "/swarm", "/swarm/unlockkey", "/events")),
    *(("GET", path) for path in ("/containers/json", "/images/json", "/volumes", "/networks")),
    *(("GET", path) for path in ("/configs", "/plugins", "/_ping", "/nodes/n1", "/tasks/task")),
    *(("GET", path) for path in ("/containers/x/json", "/containers/x/logs", "/tasks/x/logs")),
    *(("GET", path) for path in ("/services/nh-ana/logs", "/secrets/f00d", "/networks/nh_data")),
    *(("GET", path) for path in ("/containers/x/archive?path=/", "/images/x/get", "/session")),
    *(("POST", path) for path in ("/containers/create", "/containers/x/start", "/build")),
    *(("POST", path) for path in ("/containers/x/exec", "/exec/x/start", "/containers/x/attach")),
    *(("POST", path) for path in ("/containers/x/update", "/containers/prune", "/commit")),
    *(("POST", path) for path in ("/images/create?fromImage=x", "/images/load", "/auth")),
    *(("POST", path) for path in ("/volumes/create", "/networks/create", "/configs/create")),
    *(("POST", path) for path in ("/swarm/update", "/swarm/unlock", "/swarm/leave?force=1")),
    *(("POST", path) for path in ("/services/nh-ana/update?version=1", "/nodes/n1/update")),
    *(("POST", path) for path in ("/secrets/5ec2e7/update", "/networks/nh_users/connect")),
    *(("POST", path) for path in ("/grpc", "/session", "/plugins/pull", "/plugins/x/enable")),
    *(("DELETE", path) for path in ("/containers/x", "/volumes/nh_postgres", "/images/x")),
    *(("DELETE", path) for path in ("/networks/nh_users", "/nodes/n1", "/configs/x")),
    *(("PUT", path) for path in ("/containers/x/archive?path=/", "/services/create")),
    *((method, "/nodes") for method in ("HEAD", "OPTIONS", "PATCH", "POST", "TRACE", "get")),
]


@pytest.mark.parametrize(("method", "path"), FORBIDDEN)
def test_every_other_call_is_refused(guard: Running, method: str, path: str) -> None:
    answer = guard.ask(method, f"{V}{path}")
    assert answer.status in (400, 403)
    assert answer.status == 400 or method == "HEAD" or answer.message
    assert guard.engine.reached == []


ODD_PATHS = [
    *("/nodes", "/v1.40/nodes", "/v1.4/nodes", "/v1.041/nodes", "/v2.41/nodes", "/v1.41x/nodes"),
    *("//v1.41/nodes", "/v1.41//nodes", "/v1.41/nodes/", "/v1.41/./nodes", "/v1.41/x/../nodes"),
    *("/v1.41/%6eodes", "/v1.41%2fnodes", "/v1.41/nodes%00", "/v1.41/nodes;x", "/v1.41/Nodes"),
    *("/v1.41/services/%6eh-ana", "/v1.41/services/nh-ana%2fupdate", "/v1.41/services/.."),
    *("/v1.41/services/nh-ana/../nh_postgres", "/v1.41/services/..%2fnodes", "/v1.41/version"),
    *("http://engine/v1.41/nodes", "v1.41/nodes", "*", "/v1.41/nodes#x", "/v1.41/nod\u00e9s"),
]


@pytest.mark.parametrize("path", ODD_PATHS)
def test_a_path_has_one_spelling(guard: Running, path: str) -> None:
    assert guard.ask("GET", path).status in (400, 403)
    assert guard.engine.reached == []


ODD_QUERIES = [
    *("x=1", "all=1", "filters", "filters=", "filters={", "filters=[]", "filters=null", "&", "%"),
    *('filters={"label":["a"]}&filters={}', 'filters={"label":"a"}', 'filters={"label":[1]}'),
    *('filters={"label":{"a":true}}', 'filters={"runtime":["x"]}', 'filters={"Label":["a"]}'),
    *('filters={"id":["a"],"id":["b"]}', "filters=%ff", 'filters={"id":["a"]};x=1', "filters={}#"),
]


@pytest.mark.parametrize("query", ODD_QUERIES)
def test_a_query_has_one_meaning(guard: Running, query: str) -> None:
    assert guard.ask("GET", f"{V}/tasks?{query}").status == 400
    assert guard.engine.reached == []


@pytest.mark.parametrize("path", ["/nodes", "/networks/nh_users", "/services/nh-ana"])
def test_a_call_without_filters_has_no_query(guard: Running, path: str) -> None:
    assert guard.ask("GET", f"{V}{path}?filters=%7B%22id%22:%5B%22x%22%5D%7D").status == 400
    assert guard.engine.reached == []


def odd_bodies() -> dict[str, bytes]:
    text = json.dumps(bodies.server(CONFIG))
    evil = '"TaskTemplate": {"ContainerSpec": {"Image": "evil"}}'
    return {
        "a key twice": f"{text[:-1]}, {evil}}}".encode(),
        "a key in capitals": f"{text[:-1]}, {evil.upper()}}}".encode(),
        "a key with a long s": f"{text[:-1]}, {evil.replace('s', bodies.LONG_S)}}}".encode(),
        "a key that is escaped": (text[:-1] + r', "\u004eame": "x"}').encode(),
        "two values": f"{text} {text}".encode(),
        "a list": f"[{text}]".encode(),
        "UTF-16": text.encode("utf-16"),
        "a mark of the byte order": b"\xef\xbb\xbf" + text.encode(),
        "bytes that are no text": text.encode()[:-1] + b', "\xff": 1}',
        "half a surrogate pair": (text[:-1] + r', "\ud800": 1}').encode(),
        "no number": (text[:-1] + ', "ForceUpdate": NaN}').encode(),
        "an endless number": text.replace('"Pids": 1024', '"Pids": 1e999').encode(),
        "a fraction": text.replace('"Pids": 1024', '"Pids": 1024.5').encode(),
        "a comment": (text + "// x").encode(),
        "a depth": b"[" * 100_000,
        "nothing": b"",
        "null": b"null",
        "text": b'"x"',
        "too much": b" " * (1 << 20) + text.encode(),
    }


@pytest.mark.parametrize("odd", odd_bodies())
def test_a_body_has_one_meaning(guard: Running, odd: str) -> None:
    answer = guard.ask("POST", f"{V}/services/create", odd_bodies()[odd])
    assert answer.status in (400, 403)
    assert answer.message
    assert guard.engine.reached == []


def test_what_is_sent_is_what_was_checked(guard: Running) -> None:
    """Never the bytes that came, nor their headers."""
    guard.engine.found |= {f"/secrets/{k}": v for k, v in bodies.secrets("ana", "").items()}
    raw = json.dumps(bodies.server(CONFIG), indent=3).encode()
    odd = {"X_Registry_Auth": "e30=", "X_Forwarded_For": "1", "Cookie": "a=b", "Authorization": "x"}
    assert guard.ask("POST", f"{V}/services/create", raw, **odd).status == 201
    (sent,) = guard.engine.changes
    assert sent.body != raw
    assert "null" not in sent.body.decode(), "what says nothing is not said"
    assert not set(guard.engine.headers[-1]) & {key.replace("_", "-") for key in odd}


def test_a_secret_is_a_servers_own(guard: Running) -> None:
    labels = {**bodies.server(CONFIG)["Labels"], "notehive.kind": "token"}
    name = f"{bodies.server(CONFIG)['Name']}-0123abcd"
    good = {"Name": name, "Labels": labels, "Data": "aGk="}
    for wrong in (
        {"Name": "nh_postgres-hub"},
        {"Name": f"{name}x"},
        {"Name": f"{name}\n"},
        {"Labels": {**labels, "notehive.user": "bob"}},
        {"Labels": {**labels, "notehive.kind": "server"}},
        {"Labels": {**labels, "notehive.stack": "other"}},
        {"Labels": {**labels, "com.docker.stack.namespace": "nh"}},
        {"Labels": None},
        {"Data": "a" * 5000},
        {"Data": "no base64!"},
        {"Driver": {"Name": "vault"}},
        {"Templating": {"Name": "golang"}},
    ):
        assert guard.ask("POST", f"{V}/secrets/create", {**good, **wrong}).status == 403, wrong
    assert guard.engine.changes == []
    assert guard.ask("POST", f"{V}/secrets/create", good).status == 201


# Requests that are no plain HTTP


def raw_request(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join([*lines, "", ""]).encode() + body


CREATE = f"POST {V}/services/create HTTP/1.1"
ODD_REQUESTS = {
    "length and chunks": raw_request(
        *(CREATE, "Host: x", "Content-Length: 5", "Transfer-Encoding: chunked"),
        body=b"0\r\n\r\nDELETE /v1.41/services/nh-ana HTTP/1.1\r\nHost: x\r\n\r\n",
    ),
    "two lengths": raw_request(
        *(CREATE, "Host: x", "Content-Length: 2", "Content-Length: 50"), body=b"{}" + b"x" * 48
    ),
    "a negative length": raw_request(CREATE, "Host: x", "Content-Length: -1"),
    "a length with a sign": raw_request(CREATE, "Host: x", "Content-Length: +2", body=b"{}"),
    "odd chunks": raw_request(
        *(CREATE, "Host: x", "Transfer-Encoding: xchunked"), body=b"2\r\n{}\r\n0\r\n\r\n"
    ),
    "a folded header": raw_request(f"GET {V}/nodes HTTP/1.1", "Host: x", "A: b", " c"),
    "a space in a header": raw_request(f"GET {V}/nodes HTTP/1.1", "Host: x", "Upgrade : tcp"),
    "an upgrade": raw_request(
        f"POST {V}/containers/x/attach HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: tcp"
    ),
    "an upgrade of what is allowed": raw_request(
        *(f"GET {V}/nodes HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: h2c")
    ),
    "a tunnel": raw_request("CONNECT engine:2375 HTTP/1.1", "Host: x"),
    "a body where none is": raw_request(
        *(f"GET {V}/nodes HTTP/1.1", "Host: x", "Content-Length: 2"), body=b"{}"
    ),
    "zipped": raw_request(
        *(CREATE, "Host: x", "Content-Encoding: gzip"),
        f"Content-Length: {len(gzip.compress(b'{}'))}",
        body=gzip.compress(b"{}"),
    ),
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "an endless line": b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("odd", ODD_REQUESTS)
def test_odd_requests_reach_nobody(guard: Running, odd: str) -> None:
    head = ODD_REQUESTS[odd].replace(b"Host: x", b"Host: x\r\nConnection: close", 1)
    assert guard.send(head).status in (0, 400, 403, 431)
    assert guard.engine.reached == []


def test_connections_stay_open(guard: Running) -> None:
    """Two requests on one connection, and a refused one does not end it."""
    refused = f"GET {V}/info HTTP/1.1\r\nHost: x\r\n\r\n"
    last = f"GET {V}/nodes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = guard.send((refused + last).encode())
    assert answer.status == 403
    assert b"HTTP/1.1 200 OK" in answer.body


# The hub without a guard


def test_a_guard_that_is_away_is_an_os_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first call as at a later one: whoever waits for a server's state goes on waiting."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")  # where nobody listens
    monkeypatch.setattr("notehive.hub.engine.ABSENT_SECONDS", 0)
    with pytest.raises(OSError, match="refused"):
        asyncio.run(Engine().nodes())


def test_a_guard_that_starts_again_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(CONFIG, tmp_path) as first:
        pass
    monkeypatch.setenv("DOCKER_HOST", first.address)
    met = threading.Event()

    def look(error: requests.ConnectionError) -> bool:
        met.set()
        return unsent(error)

    monkeypatch.setattr("notehive.hub.engine.unsent", look)

    async def ask() -> None:
        nodes = asyncio.create_task(Engine().nodes())
        assert await asyncio.to_thread(met.wait, 10), "nobody listens yet"
        with running(CONFIG, tmp_path, first.port) as again:
            again.engine.found |= {"/version": {"ApiVersion": "1.41"}, "/nodes": [node()]}
            assert list(await nodes) == ["n1"]

    asyncio.run(ask())


def test_what_was_sent_is_not_sent_again(engine: Engine, guard: Running) -> None:
    """A service would be made twice."""
    call(engine, "nodes")
    guard.engine.reached.clear()
    guard.engine.silent = True
    labels = {**bodies.server(CONFIG)["Labels"], "notehive.kind": "token"}
    with pytest.raises(APIError, match="does not answer"):
        asyncio.run(tokens.create(engine, bodies.server(CONFIG)["Name"], "t0ken" * 8, labels))
    assert len(guard.engine.reached) == 1


def test_a_refusal_is_an_error_that_says_why(engine: Engine) -> None:
    with pytest.raises(APIError, match=r"GET /v1\.41/info is not a call"):
        call(engine, "info")


def test_the_calls_are_these() -> None:
    """Whoever adds one reads this."""
    found = {(call.method, call.path, call.named) for call in hub.calls(CONFIG)}
    assert found == {
        ("GET", "/version", False),
        ("GET", "/tasks", False),
        ("GET", "/nodes", False),
        ("GET", "/networks/nh_users", False),
        ("GET", "/services", False),
        ("GET", "/services", True),
        ("POST", "/services/create", False),
        ("DELETE", "/services", True),
        ("GET", "/secrets", False),
        ("POST", "/secrets/create", False),
        ("DELETE", "/secrets", True),
    }
