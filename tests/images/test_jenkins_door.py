"""The way to Jenkins: what Nginx tells it of who asks. Gate, Jenkins and git are stand-ins."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import built
from .containers import LABEL, Container, Containers, docker, until

# The gate knows ana and boss by their tokens; Jenkins and git say what they were asked.
STAND_IN = """
import http.server, json, threading

class Answer(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def answer(self, status, headers, text):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

class Gate(Answer):
    def do_GET(self):
        name = self.headers.get("Authorization", "").removeprefix("Bearer ")
        known = {"ana": "", "boss": "yes"}
        if name not in known:
            return self.answer(401, {}, "")
        told = {"User": name, "Admin": known[name], "Edits": "everyone,lab", "Reads": "guild"}
        self.answer(200, {f"X-Notehive-{key}": value for key, value in told.items()}, "")

class Echo(Answer):
    def do_GET(self):
        self.answer(200, {}, json.dumps({"path": self.path, **self.headers}))
    do_POST = do_GET

def serve(port, handler):
    http.server.ThreadingHTTPServer(("", port), handler).serve_forever()

threading.Thread(target=serve, args=(8090, Gate)).start()
threading.Thread(target=serve, args=(8093, Echo)).start()
serve(8080, Echo)
"""
FORGED = (
    "-H 'X-Notehive-User: boss' -H 'X-Notehive-Groups: admin=yes' -H 'X-Notehive-Admin: yes' "
    "-H 'Cookie: notehive-gate=secret; JSESSIONID.1=mine'"
)


@pytest.fixture(scope="module")
def nginx() -> Iterator[Container]:
    made = Containers()
    network = docker("network", "create", "--label", LABEL, "notehive-test-jenkins-door").strip()
    try:
        on = f"--network={network}"
        aliases = [f"--network-alias={name}" for name in ("gate", "git", "jenkins")]
        made.run(built("hub"), "python3", "-c", STAND_IN, options=(on, *aliases))
        values = {
            **{"PORT": "8080", "HTTP_PORT": "0", "SERVICES": "jenkins", "TLS": "off"},
            **{"URL": "http://x:8080", "HOST": "x", "SUBDOMAINS": "no"},
        }
        options = (on, *(f"--env={key}={value}" for key, value in values.items()))
        front = made.create(built("nginx"), options=options)
        front.write("/run/secrets/mlflow-key", b"key")
        front.start()
        until(lambda: asked(front, "boss", "/jenkins/")[0] == 200, "Nginx answers")
        yield front
    finally:
        made.remove()
        docker("network", "rm", network)


def asked(nginx: Container, who: str, path: str, more: str = "") -> tuple[int, dict[str, Any]]:
    """Ask with somebody's token; give the status, and what Jenkins was asked."""
    token = f"-H 'Authorization: Bearer {who}'" if who else ""
    url = f"'http://localhost:8080{path}'"
    said = nginx.sh(f"curl -s --path-as-is -w '\\n%{{http_code}}' {token} {more} {url} || true")
    body, _, status = said.rpartition("\n")
    return int(status or 0), json.loads(body) if body.startswith("{") else {}


@pytest.mark.parametrize(
    ("who", "groups"), [("ana", "everyone,lab,admin="), ("boss", "everyone,lab,admin=yes")]
)
def test_who_asks(nginx: Container, who: str, groups: str) -> None:
    status, told = asked(nginx, who, "/jenkins/job/lab/api/json?tree=a", FORGED)
    assert status == 200
    assert told["path"] == "/jenkins/job/lab/api/json?tree=a"
    assert (told["X-Notehive-User"], told["X-Notehive-Groups"]) == (who, groups)
    assert told["Cookie"] == "JSESSIONID.1=mine", "its own session, and no login"
    assert "Authorization" not in told


@pytest.mark.parametrize("who", ["", "eve"])
@pytest.mark.parametrize(
    "path",
    [
        "/jenkins/",
        "/jenkins/script",
        "/jenkins/wsagents/../script",
        "/jenkins/wsagents/..%2fscript",
        "/jenkins//wsagents/../script",
    ],
)
def test_nobody_passes_without_the_gate(nginx: Container, who: str, path: str) -> None:
    status, told = asked(nginx, who, path, FORGED)
    assert status in (401, 404)
    assert not told


def test_agents_are_nobody(nginx: Container) -> None:
    more = f"{FORGED} -H 'Upgrade: websocket' -H 'Connection: Upgrade' -H 'Secret-Key: s'"
    status, told = asked(nginx, "boss", "/jenkins/wsagents/", more)
    assert status == 200
    assert (told["Upgrade"], told["Connection"].lower()) == ("websocket", "upgrade")
    assert told["Secret-Key"] == "s"
    assert not {"X-Notehive-User", "X-Notehive-Groups", "Authorization", "Cookie"} & set(told)


def test_a_ticket_is_all_that_git_is_told(nginx: Container) -> None:
    path = "/lab/churn.git/info/refs?service=git-upload-pack"
    more = f"{FORGED} -H 'X-Notehive-Key: mine' -H 'X-Notehive-Ticket: mine'"
    status, told = asked(nginx, "boss", f"/git-fetch/1-ab{path}", more)
    assert (status, told["path"], told["X-Notehive-Ticket"]) == (200, path, "1-ab")
    assert not {"X-Notehive-User", "X-Notehive-Key", "Authorization", "Cookie"} & set(told)
    assert asked(nginx, "", "/git-fetch/1-ab")[0] == 404
    assert asked(nginx, "", f"/%67it-fetch/1-ab{path}")[0] == 404
