"""Alertmanager alone: what it is told by `notify:`, and what people hear."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from notehive.platform import alertmanager
from notehive.settings import parse

from .conftest import built
from .containers import Container, Containers, until

NOTIFY = """
notify:
  email: {to: [a@x.org], sender: n@x.org, server: 127.0.0.1, port: 2525, tls: off}
  chat: http://127.0.0.1:8000/chat
  webhook: http://127.0.0.1:8000/program
"""
# Prints the path and the body of each request.
RECEIVER = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        print(self.path, body, flush=True)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")
HTTPServer(("127.0.0.1", 8000), Receiver).serve_forever()
"""
SUMMARY = "nh_hub does not run; people cannot work."


class Told(NamedTuple):
    """An Alertmanager, and somebody whom it tells."""

    alertmanager: Container
    receiver: Container

    def alert(self, **more: str) -> None:
        """Have Prometheus' word for an alert."""
        found = {
            "labels": {"alertname": "ServiceDown", "severity": "page", "service": "nh_hub"},
            "annotations": {"summary": SUMMARY},
            "generatorURL": "http://site:8080/prometheus/graph",
            **more,
        }
        url = "localhost:9093/api/v2/alerts"
        header = "--header 'Content-Type: application/json'"
        self.alertmanager.sh(f"curl --fail --silent {header} --data '{json.dumps([found])}' {url}")

    def heard(self, path: str) -> list[Any]:
        """What came to a path."""
        lines = [line.partition(" ") for line in self.receiver.logs().splitlines()]
        return [json.loads(body) for at, _, body in lines if at == path]


@pytest.fixture
def told(containers: Containers) -> Iterator[Told]:
    made = containers.create(
        built("prometheus"),
        "/opt/notehive/prometheus/start-alertmanager",
        options=("--env=URL=http://site:8080",),
    )
    made.write("/run/secrets/alertmanager", alertmanager.configuration(parse(NOTIFY).notify))
    made.start()
    network = f"--network=container:{made.id}"
    receiver = containers.run(built("metrics"), "python3", "-c", RECEIVER, options=(network,))
    until(lambda: "OK" in made.sh("curl -s localhost:9093/-/ready || true"), "it is ready")
    yield Told(made, receiver)


def test_what_people_hear(told: Told) -> None:
    said = told.alertmanager.sh("amtool check-config /run/secrets/alertmanager")
    assert "SUCCESS" in said and "1 receivers" in said
    told.alert()
    until(lambda: bool(told.heard("/chat") and told.heard("/program")), "both are told")
    [message] = told.heard("/program")
    assert message["status"] == "firing"
    assert message["alerts"][0]["annotations"]["summary"] == SUMMARY
    [chat] = told.heard("/chat")
    [attachment] = chat["attachments"]
    assert attachment["title"] == "FIRING: ServiceDown"
    assert attachment["text"].splitlines() == [
        f"firing: {SUMMARY}",
        "",
        "What to do: docs/alerts.md, ServiceDown",
        "http://site:8080/prometheus/graph",
    ]


@pytest.mark.long
def test_people_hear_of_its_end(told: Told) -> None:
    told.alert()
    until(lambda: bool(told.heard("/program")), "the program is told")
    told.alert(endsAt="2026-01-01T00:00:00Z", startsAt="2025-12-31T23:59:00Z")
    until(lambda: len(told.heard("/program")) > 1, "the program is told of the end", 150)
    assert [each["status"] for each in told.heard("/program")] == ["firing", "resolved"]
