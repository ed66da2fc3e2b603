"""Prometheus on the running platform: whom it asks, what it is told, and who may read it."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from notehive import naming
from tests.support.airflow import PIPELINE, Asker
from tests.support.hub import User, user
from tests.support.site import Site, docker, fetch, wait_for

JOBS = {
    "containers",
    "hub",
    "mlflow",
    "nginx",
    "nodes",
    "postgres",
    "prometheus",
    "proxy",
    "registry",
    "swarm",
}
MIB = 2**20
# Holds memory, burns what it is told to of CPU time, says how much it burnt, and goes on holding.
BURN = """
import sys, time
held = bytearray(int(sys.argv[1]) * 2**20)
held[::4096] = b"x" * len(held[::4096])
print("holds", flush=True)
input()
while time.process_time() < float(sys.argv[2]):
    pass
print(time.process_time(), flush=True)
input()
"""
# Has the keeper measure a directory now.
MEASURE = (
    "curl --fail --silent --request POST --header "
    '"Authorization: Bearer $(cat /run/secrets/storage-token)" localhost:8091/$1/measure'
)


@pytest.fixture(scope="module")
def mel(site: Site) -> Iterator[User]:
    """A user with a server."""
    with user(site, "mel") as mel:
        mel.start(image="base", size="small")
        yield mel


def ask(site: Site, path: str) -> Any:
    """Ask Prometheus itself."""
    url = f"localhost:9090/prometheus/api/v1/{path}"
    answer = json.loads(site.exec("prometheus", "curl", "--silent", "--globoff", url))
    assert answer["status"] == "success", answer
    return answer["data"]


def query(site: Site, text: str) -> list[dict[str, Any]]:
    """Give the series that a query finds now."""
    found: list[dict[str, Any]] = ask(site, f"query?query={quote(text)}")["result"]
    return found


def value(site: Site, text: str) -> float | None:
    """Give the value of the one series that a query finds; None if there is none yet."""
    found = query(site, text)
    assert len(found) < 2, found
    return float(found[0]["value"][1]) if found else None


def exported(site: Site, container: str) -> dict[str, float]:
    """Give what the node's exporter tells of a container at this moment."""
    text = site.exec("node-metrics", "curl", "--silent", "localhost:9180/metrics")
    found = {}
    for line in text.splitlines():
        if f'container="{container[:12]}"' in line:
            name, _, number = line.partition(" ")
            found[name.partition("{")[0].removeprefix("notehive_container_")] = float(number)
    return found


def test_all_are_asked_and_answer(site: Site) -> None:
    def well() -> bool:
        targets = ask(site, "targets?state=active")["activeTargets"]
        states = {(each["labels"]["job"], each["health"]) for each in targets}
        return states == {(job, "up") for job in JOBS}

    wait_for("all targets", well, 120)
    [nodes] = query(site, "count(up{job='nodes'})")
    assert nodes["value"][1] == str(len(docker("node", "ls", "--quiet").split()))


def test_rules_have_no_errors(site: Site) -> None:
    def evaluated() -> bool:
        groups = ask(site, "rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert all(rule["health"] in ("ok", "unknown") for rule in rules), rules
        return all(rule["health"] == "ok" for rule in rules)

    wait_for("all rules", evaluated, 120)


def test_whose_a_container_is(site: Site, mel: User) -> None:
    container = site.container(mel.service)[:12]
    text = f"notehive_container_info{{container='{container}'}}"
    [found] = wait_for("the container", lambda: query(site, text), 90)
    node = docker("info", "--format", "{{.Name}}")
    told = {k: v for k, v in found["metric"].items() if k not in ("__name__", "instance", "job")}
    assert told == {
        **{"container": container, "node": node, "service": mel.service, "kind": "server"},
        **{"user": "mel", "image": "base", "size": "small"},
    }
    used = f"notehive:memory_bytes{{user='mel',node='{node}'}}"
    assert wait_for("its memory", lambda: (value(site, used) or 0) > 20 * MIB, 120)


def test_the_figures_of_a_container_are_right(site: Site, mel: User) -> None:
    """Against what the process says of itself: half a GiB, and twenty seconds of a core."""
    container = site.container(mel.service)
    command = ["/usr/bin/docker", "exec", "--interactive", container, "python3", "-c", BURN]
    before = exported(site, container)
    with subprocess.Popen(
        [*command, "512", "20"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as burning:
        assert burning.stdin and burning.stdout
        assert burning.stdout.readline() == "holds\n"
        holding = exported(site, container)
        burning.stdin.write("\n")
        burning.stdin.flush()
        burnt = float(burning.stdout.readline())
        after = exported(site, container)
        burning.communicate("\n")
    held = holding["memory_working_set_bytes"] - before["memory_working_set_bytes"]
    assert held == pytest.approx(512 * MIB, rel=0.05)
    assert after["cpu_seconds_total"] - before["cpu_seconds_total"] == pytest.approx(
        burnt, rel=0.05
    )
    assert after["memory_limit_bytes"] == 1024 * MIB
    assert after["network_receive_bytes_total"] > 0


def test_the_state_of_the_swarm(site: Site, mel: User) -> None:
    assert value(site, "notehive_swarm_up") == value(site, "notehive_storage_up") == 1
    assert query(site, "notehive_swarm_node_state{state='ready'}")
    short = "notehive_swarm_service_tasks_running < notehive_swarm_service_tasks_wanted"
    wait_for("no service to be short", lambda: not query(site, short))
    total = value(site, "notehive_swarm_addresses")
    free = value(site, "notehive_swarm_free_addresses")
    assert total == 65536 and free and total - 100 < free < total - 4
    assert query(site, "notehive_node_disk_free_bytes")
    assert value(site, "pg_up") == 1
    [uname] = query(site, "node_uname_info")
    assert uname["metric"]["nodename"] == docker("info", "--format", "{{.Name}}")


def test_what_a_home_holds(site: Site, mel: User) -> None:
    home = naming.home(mel.name)
    site.exec("storage", "sh", "-c", MEASURE, "sh", home)
    text = f"notehive_storage_used_bytes{{kind='homes',directory='{home.removeprefix('homes/')}'}}"
    assert wait_for("its figure", lambda: (value(site, text) or 0) > 0)
    named = f"{text} * on (directory) group_left (user) notehive_user_info{{user='mel'}}"
    wait_for("its user", lambda: value(site, named))
    free, size = (value(site, f"notehive_storage_{key}_bytes") for key in ("free", "size"))
    assert free and size and 0 < free < size


@pytest.fixture(scope="module")
def chief(site: Site) -> Iterator[User]:
    """An administrator with a server."""
    with user(site, "chief", "--admin") as chief:
        chief.start(image="base", size="small")
        yield chief


@pytest.mark.parametrize(
    "path", ["/prometheus/api/v1/query?query=up", "/prometheus/", "//prometheus/"]
)
def test_the_page_is_for_administrators(site: Site, mel: User, chief: User, path: str) -> None:
    secret = site.exec(chief.service, "cat", "/run/secrets/jupyterhub-token")
    for token, status in ((chief.token, {200, 302}), (mel.token, {403}), (secret, {403})):
        headers = {"Authorization": f"Bearer {token}"}
        # Twice: Nginx may remember a yes, and nobody else's.
        for _ in range(2):
            found = fetch(site, path, headers=headers).status
            assert found in (status if not path.startswith("//") else status | {404})
        # Neither may one that is good elsewhere be taken for one that is good here.
        assert fetch(site, "/mlflow/version", headers=headers).status == 200
        assert fetch(site, path, headers={**headers, "X-Only": ""}).status in status | {404}
    assert fetch(site, path).status in (401, 404)


def test_where_alerts_send_people_is_a_page(site: Site, chief: User) -> None:
    moved = fetch(site, "/prometheus/graph?g0.expr=up&g0.tab=1")
    assert moved.status == 302
    page = moved.headers["Location"]
    assert page.endswith("/prometheus/classic/graph?g0.expr=up&g0.tab=1")
    headers = {"Authorization": f"Bearer {chief.token}"}
    found = fetch(site, page[page.index("/prometheus/") :], headers=headers)
    assert found.status == 200 and b"graph_container" in found.body


def test_nobody_else_has_a_way_to_it(site: Site, mel: User) -> None:
    """The hub's metrics need the token; a server reaches neither Prometheus nor an exporter."""
    assert fetch(site, "/hub/metrics").status == 403
    assert (
        fetch(site, "/hub/metrics", headers={"Authorization": f"Bearer {mel.token}"}).status == 403
    )
    for name, port, path, mark in (
        ("prometheus", 9090, "prometheus/metrics", "# HELP"),
        ("node-metrics", 9180, "metrics", "# HELP"),
        ("swarm-metrics", 9180, "metrics", "# HELP"),
        ("nginx", 8094, "status", "Active connections"),
    ):
        address = docker(
            *("inspect", "--format"),
            "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}",
            site.container(name),
        ).split()
        for each in address:
            # Something on the way may take every connection: what matters is who answers.
            url = f"http://{each}:{port}/{path}"
            assert mark in site.exec(name, "curl", "--silent", url)
            curl = ("curl", "--silent", "--max-time", "3", "--noproxy", "*", url)
            assert mark not in site.exec(mel.service, *curl, check=False)


def figures(site: Site, service: str) -> dict[str, float]:
    """Give what Prometheus is told by a service that it asks."""
    text = site.exec("prometheus", "curl", "--silent", f"tasks.{service}:9180/metrics")
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(number) for name, number in lines}


def test_requests_of_mlflow(site: Site, mel: User) -> None:
    name = 'notehive_request_duration_seconds_count{status="200"}'
    before = figures(site, "mlflow").get(name, 0)
    headers = {"Authorization": f"Bearer {mel.token}"}
    assert fetch(site, "/mlflow/version", headers=headers).status == 200
    assert figures(site, "mlflow")[name] > before


def test_pipelines(with_airflow: Site) -> None:
    dag = f"lab.{PIPELINE}"
    with user(with_airflow, "paul", "--admin") as paul:
        asker = Asker(with_airflow, paul.token)
        wait_for("the DAG", lambda: asker.ask("GET", f"/dags/{dag}").status == 200, 120)
        assert asker.ended(asker.run(dag)) == "success"
        assert asker.ended(asker.run(dag, seconds="no number")) == "failed"
    told = figures(with_airflow, "airflow")
    group, model, pipeline = dag.split(".")
    last = {}
    for state in ("success", "failed"):
        labels = f'{{group="{group}",model="{model}",pipeline="{pipeline}",state="{state}"}}'
        assert told[f"notehive_pipeline_runs{labels}"] >= 1
        assert told[f"notehive_pipeline_run_seconds{labels}"] > 0
        last[state] = told[f"notehive_pipeline_last_end_timestamp_seconds{labels}"]
    assert 0 < last["success"] < last["failed"]
    parts = {line.split('"')[1] for line in told if line.startswith("notehive_airflow_heartbeat")}
    assert parts == {"SchedulerJob", "TriggererJob", "DagProcessorJob"}
