"""What breaks reaches people, and so does its end. The fault is a real one; the pager is ours."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from notehive.platform import machine
from tests.support.airflow import PIPELINE, Asker
from tests.support.hub import user
from tests.support.site import Site, changed, docker, wait_for

pytestmark = pytest.mark.long

NOWHERE = "node.labels.nobody == has-it"


class Pager:
    """A program that is told."""

    def __init__(self) -> None:
        heard: list[dict[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.heard = heard
        self.server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
        self.url = f"http://{machine.address()}:{self.server.server_port}/"

    def has(self, status: str, name: str) -> list[dict[str, str]]:
        """Give the labels of the alerts of this name that it heard of in this status."""
        every = [alert for message in self.heard for alert in message["alerts"]]
        labels: list[dict[str, str]] = [
            each["labels"] for each in every if each["status"] == status
        ]
        return [each for each in labels if each["alertname"] == name]


@pytest.fixture
def pager() -> Iterator[Pager]:
    made = Pager()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@contextmanager
def away(service: str) -> Iterator[None]:
    """A service that finds no node."""
    update = ("service", "update", "--detach", "--quiet")
    docker(*update, "--constraint-add", NOWHERE, service)
    try:
        yield
    finally:
        docker(*update, "--constraint-rm", NOWHERE, service)


def test_a_service_that_is_away(site: Site, pager: Pager) -> None:
    gate = f"{site.name}_gate"
    with changed(site, notify={"webhook": pager.url}):
        with away(gate):
            wait_for("somebody to be told", lambda: pager.has("firing", "ServiceDown"), 240)
        assert {each["service"] for each in pager.has("firing", "ServiceDown")} == {gate}
        wait_for("the end of it", lambda: pager.has("resolved", "ServiceDown"), 240)


def test_a_pipeline_that_fails(with_airflow: Site, pager: Pager) -> None:
    dag = f"lab.{PIPELINE}"
    with (
        changed(with_airflow, notify={"webhook": pager.url}),
        user(with_airflow, "alma", "--admin") as alma,
    ):
        asker = Asker(with_airflow, alma.token)
        wait_for("the DAG", lambda: asker.ask("GET", f"/dags/{dag}").status == 200, 120)
        assert asker.ended(asker.run(dag, seconds="no number")) == "failed"
        [told] = wait_for("people to be told", lambda: pager.has("firing", "PipelineFails"), 240)
        assert dag == ".".join(told[key] for key in ("group", "model", "pipeline"))
        assert asker.ended(asker.run(dag)) == "success"
        wait_for("the end of it", lambda: pager.has("resolved", "PipelineFails"), 240)
