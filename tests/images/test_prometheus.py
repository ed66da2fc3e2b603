"""Prometheus alone: its rules, tried with its own tool, and whom it asks."""

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT, built
from .containers import Container, Containers, until

RULES = "/opt/notehive/prometheus/rules"
API = "localhost:9090/prometheus/api/v1"


@pytest.mark.parametrize("test", sorted((ROOT / "tests/rules").glob("*.yml")), ids=lambda p: p.stem)
def test_rules(containers: Containers, test: Path) -> None:
    prometheus = containers.idle(built("prometheus"))
    prometheus.write(f"{RULES}/test.yml", test.read_bytes())
    assert "SUCCESS" in prometheus.sh(f"cd {RULES} && promtool test rules test.yml 2>&1")


def running(containers: Containers, services: str) -> Container:
    """One that is told which services there are, once it is ready."""
    told = {"URL": "http://site:8080", "SERVICES": services, "DAYS": "3", "SPACE": "1073741824"}
    options = tuple(f"--env={key}={value}" for key, value in told.items())
    prometheus = containers.create(built("prometheus"), options=options)
    prometheus.write("/run/secrets/metrics-token", b"token\n")
    prometheus.start()
    until(lambda: "Ready" in prometheus.sh(f"curl -s {API}/../../-/ready || true"), "it is ready")
    return prometheus


def ask(prometheus: Container, path: str) -> Any:
    return json.loads(prometheus.sh(f"curl --silent '{API}/{path}'"))["data"]


def test_only_services_that_are_on_are_asked(containers: Containers) -> None:
    prometheus = running(containers, "nginx prometheus hub nginx-exporter git")

    def pools() -> list[str]:
        return sorted(ask(prometheus, "scrape_pools")["scrapePools"] or ())

    until(lambda: len(pools()) > 1, "it knows whom to ask")
    assert pools() == ["hub", "nginx", "prometheus"]


def test_what_it_keeps_and_where_people_find_it(containers: Containers) -> None:
    flags = ask(running(containers, "prometheus"), "status/flags")
    assert flags["storage.tsdb.retention.time"] == "3d"
    assert flags["storage.tsdb.retention.size"] == "1GiB"
    assert flags["web.external-url"] == "http://site:8080/prometheus/"
    assert flags["web.enable-admin-api"] == flags["web.enable-lifecycle"] == "false"


def test_every_file_of_its_configuration_is_right(containers: Containers) -> None:
    every = " ".join(path.stem for path in (ROOT / "prometheus/scrape").glob("*.yml"))
    prometheus = running(containers, every)
    assert "SUCCESS" in prometheus.sh("promtool check config /tmp/prometheus/prometheus.yml 2>&1")
