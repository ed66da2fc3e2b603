"""The pure parts of bench/spawn.py: the bare service, the pins of the peer's image, the tables."""

from typing import Any

from bench import floor, peer, report
from bench.client import Attempt
from bench.figures import of_floor, of_rows
from bench.measures import line

SPEC: dict[str, Any] = {
    "Name": "site-ana",
    "Labels": {"notehive.stack": "site"},
    "TaskTemplate": {
        "ContainerSpec": {
            "Image": "notebooks-base:1",
            "Labels": {"notehive.stack": "site"},
            "Args": ["start-notebook"],
            "Env": ["JUPYTERHUB_USER=ana", "JPY_API_TOKEN=x", "MLFLOW_TRACKING_URI=http://site"],
            "Secrets": [{"SecretID": "1"}],
            "Mounts": [
                {"Type": "bind", "Source": "/srv/homes/ana", "Target": "/home/jovyan"},
                {"Type": "tmpfs", "Target": "/dev/shm"},
            ],
        },
        "Resources": {"Limits": {"NanoCPUs": 1}},
        "Networks": [{"Target": "n1"}],
    },
    "EndpointSpec": {"Mode": "dnsrr"},
}


def test_the_bare_service_is_the_servers_without_its_hub() -> None:
    made = floor.bare(SPEC, "bench-floor-0")
    container = made["TaskTemplate"]["ContainerSpec"]
    assert made["Name"] == "bench-floor-0"
    assert made["Labels"] == container["Labels"] == {}
    assert container["Image"] == "notebooks-base:1"
    assert container["Args"] == ["start-notebook", "--IdentityProvider.token="]
    assert container["Env"] == ["MLFLOW_TRACKING_URI=http://site"]
    assert "Secrets" not in container
    assert container["Mounts"] == [
        {"Type": "volume", "Source": "bench-floor-0", "Target": "/home/jovyan"},
        {"Type": "tmpfs", "Target": "/dev/shm"},
    ]
    for key in ("Resources", "Networks"):
        assert made["TaskTemplate"][key] == SPEC["TaskTemplate"][key]
    assert SPEC["TaskTemplate"]["ContainerSpec"]["Secrets"]  # what was given is as it was


def test_pins_lose_their_hashes_and_nothing_else() -> None:
    text = "aiodns==4.0.4 \\\n    --hash=sha256:0 \\\n    # via jupyterhub\npip==26.3 \\\n"
    assert peer.versions(text) == "aiodns==4.0.4\npip==26.3\n"


def test_the_peers_packages_are_those_of_our_image() -> None:
    text = '[dependency-groups]\nnotebooks-base = ["jupyterlab>=4.6", "pip"]\nhub = ["a"]\n'
    assert peer.packages(text) == "jupyterlab>=4.6\npip\n"


def result(**figures: Any) -> dict[str, Any]:
    """A result as it is kept."""
    return {
        "command": "python -m bench.spawn",
        "commit": "abc",
        "at": "2026-11-21T10:00+00:00",
        "machine": {"cores": 2, "docker": "20.10"},
        "load_before": 0.1,
        "asked": {"users": 10},
        "rows": {"stock": "the peer", "notehive": "Notehive"},
        "versions": {"notehive": {"jupyterhub": "6.1"}},
        "figures": figures,
    }


def test_the_tables_say_what_was_measured() -> None:
    serial = of_rows(
        {
            "stock": [Attempt(4.0, 5.0), Attempt(None, None, "no server within 120 s")],
            "notehive": [Attempt(1.0, 1.25), Attempt(1.0, 1.25)],
        },
        "notehive",
    )
    times = [{"running": 0.5, "answers": 0.75}]
    said = report.markdown(result(serial=serial, floor=of_floor({"once": times, "storm": []})))
    rows = {cells[1].strip(): cells for row in said.splitlines() if (cells := row.split("|"))[1:]}
    assert [cell.strip() for cell in rows["the peer"][2:7]] == [
        *("5.00 s", "5.00 s", "4.00 s", "1 of 2"),
        "0.25 (0.25 to 0.25)",
    ]
    assert [cell.strip() for cell in rows["Notehive"][2:5]] == ["1.25 s", "1.25 s", "1.00 s"]
    assert "+0.25 s" in rows["one service"][5]
    assert rows["services at once"][4].strip() == "-"
    assert "jupyterhub 6.1" in said


def test_a_line_of_progress_shows_the_worst() -> None:
    attempts = {"a": [Attempt(1.0, 2.0), Attempt(1.0, 3.0)], "b": [Attempt(None, None, "dead")]}
    assert line(attempts) == "a 3.00 s   b FAILED dead"
