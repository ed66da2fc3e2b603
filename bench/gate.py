"""What the gate costs a request: the same small file through Nginx, with and without it.

usage: python -m bench.gate [--rounds 10] [--seconds 5]    (on a machine that does nothing else)

Needs `h2load` of Debian's nghttp2-client. Both are asked in turn, A B A B, by one user with one
token, so that the gate's answer is one that Nginx remembers, but for one moment in three seconds:
as fast as they are answered, which says how many requests it costs, and at a steady rate that the
machine has time for, which says what a request waits. As fast as can be, most of what a request
waits for is its turn at a processor. Writes bench/results/gate.json.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from bench import stats
from bench.result import RESULTS, Begun, circumstances, write
from tests.support.hub import User, user
from tests.support.site import Site, run

CONNECTIONS = 16
PATHS = {"without": "/bench/open", "with": "/bench/guarded"}
LOCATIONS = """
location = /bench/open { alias /tmp/nginx/bench.txt; }
location = /bench/guarded { include guarded.conf; alias /tmp/nginx/bench.txt; }
"""
STEADY = 2000  # requests per second of all connections: a tenth of what two cores can
LOADS = {"fastest": 0, "steady": STEADY}  # requests per second; 0 for as fast as can be
NAME = "bench-gate"
SETTINGS: dict[str, Any] = {
    "name": NAME,
    "url": f"http://{NAME}.localhost:18290",
    "network": {"users": "10.94.0.0/16", "registry_port": 15210},
}


def add_locations(site: Site) -> None:
    """Have Nginx serve the file at both paths."""
    script = "cat > /tmp/nginx/services/bench.conf && head --bytes=1024 /dev/zero > $0 && $*"
    reload = "nginx -c /opt/notehive/nginx/nginx.conf -s reload"
    container = site.container("nginx")
    command = ("exec", "--interactive", container, "sh", "-c", script)
    site.docker(*command, "/tmp/nginx/bench.txt", *reload.split(), stdin=LOCATIONS)


def parsed(log: str, seconds: float) -> dict[str, float]:
    """Give requests per second, and the median and p99 in milliseconds, from h2load's log.

    A line is a request's begin (microseconds), its status and how long it took (microseconds).
    """
    rows = [line.split() for line in log.splitlines()]
    if not rows or (failed := [row for row in rows if row[1] != "200"]):
        raise RuntimeError(f"{len(failed) if rows else 'all'} requests failed")
    took = [int(row[2]) / 1000 for row in rows]
    return {
        "per_second": round(len(rows) / seconds, 1),
        "p50_ms": round(stats.percentile(took, 0.5), 3),
        "p99_ms": round(stats.percentile(took, 0.99), 3),
    }


def load(asker: User, path: str, rate: int, seconds: int) -> dict[str, float]:
    """Ask for a path, so many times in a second or as fast as it is answered; give the figures."""
    site = asker.site
    headers = (
        *("--header", f":authority: {site.url.removeprefix('http://')}"),
        *("--header", f"Authorization: Bearer {asker.token}"),
    )
    count = ("--threads", "1", "--clients", str(CONNECTIONS), "--duration", str(seconds))
    steady = ("--rps", str(rate / CONNECTIONS)) if rate else ()
    with tempfile.NamedTemporaryFile("r") as log:
        url = f"http://127.0.0.1:{site.port}{path}"
        run("h2load", "--h1", *count, *steady, *headers, "--log-file", log.name, url)
        return parsed(log.read(), seconds)


def measure(asker: User, rounds: int, seconds: int) -> dict[str, Any]:
    """Measure both in turn, under each load; give all figures and the ratios of their medians."""
    found: dict[str, Any] = {"connections": CONNECTIONS, "seconds": seconds}
    for path in PATHS.values():
        load(asker, path, 0, 1)  # not counted
    for name, rate in LOADS.items():
        rows: dict[str, list[dict[str, float]]] = {key: [] for key in PATHS}
        for number in range(rounds):
            for key, path in PATHS.items():
                rows[key].append(load(asker, path, rate, seconds))
            last = {key: each[-1] for key, each in rows.items()}
            print(f"{name} {number + 1}/{rounds}", last, flush=True)
        found[name] = {"with_to_without": ratios(rows["with"], rows["without"]), **rows}
    return found


def ratios(gated: list[dict[str, float]], plain: list[dict[str, float]]) -> dict[str, Any]:
    """Give the ratio of the medians of each figure, with its interval."""
    found = {
        figure: stats.ratio([each[figure] for each in gated], [each[figure] for each in plain])
        for figure in plain[0]
    }
    return {figure: ratio._asdict() for figure, ratio in found.items() if ratio}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    if shutil.which("h2load") is None:
        raise SystemExit("there is no h2load; `apt-get install nghttp2-client` gets it")
    begun = Begun.now()
    with tempfile.TemporaryDirectory() as directory:
        site = Site(Path(directory), SETTINGS)
        site.notehive("down", "--purge", "--yes", check=False)  # what an ended run left
        try:
            site.up()
            add_locations(site)
            with user(site, "bench") as asker:
                figures = measure(asker, options.rounds, options.seconds)
        finally:
            site.notehive("down", "--purge", "--yes")
    command = f"python -m bench.gate --rounds {options.rounds} --seconds {options.seconds}"
    result = {**circumstances(command, begun), "figures": figures}
    write(RESULTS / "gate.json", result)
    for name in LOADS:
        print(name, json.dumps(figures[name]["with_to_without"], indent=2))


if __name__ == "__main__":
    main()
