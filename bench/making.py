"""What it costs to make one DAG from the DAG file, as a task does, and to make all of them."""

import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from bench import costs, factory, memory, stats
from notehive import docker
from notehive.jobs.service import Begun
from tests.support.site import ROOT

PROBE = Path(__file__).with_name("making_probe.py")
TEMPLATE = ROOT / "src/notehive/models/template/model.yml"
NOWHERE = Begun("", "c0ffee")  # of releases that are published and never run


def publish(root: Path, count: int) -> list[str]:
    """Publish models like that of the template below a directory; give a DAG's name of each."""
    text = TEMPLATE.read_text(encoding="utf-8").replace("image: datascience", "image: base")
    names = [f"model-{number}" for number in range(count)]
    for name in names:
        factory.publish(root, name, text.replace("NAME", name, 1), NOWHERE)
    return [f"{factory.GROUP}.{name}.train" for name in names]


def measure(image: str, count: int, rounds: int) -> dict[str, Any]:
    """Make one DAG of so many models, and all, in turn; give the figures of both.

    ``image``: of Airflow. Each is made in a process of its own; the first round is not counted.
    """
    found: dict[str, list[dict[str, float]]] = {"one": [], "all": []}
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        root.chmod(0o755)
        dags = publish(root, count)
        run = ("run", "--rm", "--network=none", f"--volume={root}:/srv/models:ro",
               f"--volume={PROBE}:/probe.py:ro", image, "python3", "/probe.py")  # fmt: skip
        for number in range(-1, rounds):
            for kind, names in (("one", [dags[count // 2]]), ("all", [])):
                made = json.loads(docker.output(*run, *names).splitlines()[-1])
                print(f"making {number + 1}/{rounds}   {kind} {made}", flush=True)
                if number >= 0:
                    found[kind].append(made)
    seconds, importing = taken(found, "seconds"), taken(found, "importing")
    sizes = taken(found, "bytes")
    return {
        "models": count,
        "dags": {kind: each[0]["dags"] for kind, each in found.items()},
        "seconds": {kind: stats.summary(each) for kind, each in seconds.items()},
        "importing_seconds": {kind: stats.summary(each) for kind, each in importing.items()},
        "mib": {
            kind: round(statistics.median(each) / memory.MIB, 1) for kind, each in sizes.items()
        },
        "one_to_all": {
            "seconds": costs.compared(seconds, "one", "all"),
            "mib": costs.compared(sizes, "one", "all"),
        },
    }


def taken(found: dict[str, list[dict[str, float]]], what: str) -> dict[str, list[float]]:
    """Give of each kind what it took each time."""
    return {kind: [each[what] for each in made] for kind, made in found.items()}
