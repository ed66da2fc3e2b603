"""What the exporter of a node costs: CPU time of a scrape, with so many containers.

usage: python -m bench.metrics [--containers 50] [--scrapes 200]

The node is one that was recorded (tests/recorded), its containers multiplied: files of a disk's
cache, so what the kernel needs to reckon them is not in it. That is measured beside it, on this
machine's own containers. Both as Prometheus asks: over HTTP, compressed. Writes
bench/results/metrics.json.
"""

import argparse
import shutil
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from prometheus_client import start_http_server

from bench.result import RESULTS, Begun, circumstances, write
from notehive.metrics.cgroups import CONTAINER, open_tree
from notehive.metrics.disk import Disk
from notehive.metrics.network import Network
from notehive.metrics.node import Containers
from notehive.metrics.serve import registry
from tests.support.recorded import Node

EVERY = 15.0  # seconds between two scrapes
PROMISE = 0.01  # of a core


def multiplied(directory: Path, containers: int) -> Node:
    """Give the recorded node with so many containers, copies of those with their own network."""
    node = Node("node-cgroup-1", directory)
    groups = [
        each for each in node.cgroup.glob("memory/docker/*") if CONTAINER.fullmatch(each.name)
    ]
    for number in range(len(groups), containers):
        name = f"{number:012x}".ljust(64, "0")
        model = groups[number % len(groups)].name
        for controller in ("memory", "cpuacct", "blkio"):
            parent = node.cgroup / controller / "docker"
            shutil.copytree(parent / model, parent / name)
        pid = node.proc / str(100_000 + number)
        shutil.copytree(node.proc / "9982", pid)
        (pid / "cgroup").write_text((pid / "cgroup").read_text().replace(_of(pid), name))
    return node


def _of(pid: Path) -> str:
    return (pid / "cgroup").read_text().splitlines()[0].rpartition("/")[2]


def measure(containers: Containers, scrapes: int) -> dict[str, Any]:
    """Scrape over HTTP; give milliseconds of CPU time, and what is answered."""
    server, thread = start_http_server(0, "127.0.0.1", registry=registry(containers, Disk("bench")))
    url = f"http://127.0.0.1:{server.server_port}/metrics"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    plain = direct.open(url).read().decode()
    took = []
    for _ in range(scrapes):
        # Of the whole process: the asking is counted as well, and is next to nothing.
        began = time.process_time()
        direct.open(request).read()
        took.append((time.process_time() - began) * 1000)
    server.shutdown()
    thread.join()
    median = statistics.median(took)
    return {
        "containers": sum(line.startswith("notehive_container_cpu") for line in plain.splitlines()),
        "series": sum(not line.startswith("#") for line in plain.splitlines()),
        "bytes": len(plain),
        "cpu_ms_median": round(median, 2),
        "cpu_ms_p95": round(statistics.quantiles(took, n=20)[-1], 2),
        "share_of_a_core": round(median / 1000 / EVERY, 5),
    }


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--containers", type=int, default=50)
    parser.add_argument("--scrapes", type=int, default=200)
    options = parser.parse_args()
    begun = Begun.now()
    with tempfile.TemporaryDirectory() as directory:
        node = multiplied(Path(directory), options.containers)
        recorded = Containers(open_tree(node.cgroup), Network(node.proc))
        figures = {
            "recorded": measure(recorded, options.scrapes),
            "this machine": measure(
                Containers(open_tree(Path("/sys/fs/cgroup")), Network(Path("/proc"))),
                options.scrapes,
            ),
        }
    command = f"python -m bench.metrics --containers {options.containers}"
    result = {
        **circumstances(f"{command} --scrapes {options.scrapes}", begun),
        "promise": {"share_of_a_core": PROMISE, "seconds_between_scrapes": EVERY},
        "figures": figures,
    }
    write(RESULTS / "metrics.json", result)
    for name, found in figures.items():
        print(name, found)


if __name__ == "__main__":
    main()
