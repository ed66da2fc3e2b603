"""What the gate costs a request: the same small file through Nginx, with and without it.

usage: python -m bench.gate [--rounds 10] [--seconds 5]    (on a machine that does nothing else)

Needs `wrk`, which Debian has. Both are asked in turn, A B A B, by one user with one token, so that
the gate's answer is one that Nginx remembers, but for one request in three seconds. Writes
bench/results/gate.json.
"""

import argparse
import json
import re
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
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
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


def parsed(output: str) -> dict[str, float]:
    """Give what wrk says: requests per second, and the median and p99 in milliseconds."""
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    times = {
        share: float(value) * UNITS[unit]
        for share, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)", output)
    }
    if rate is None or len(times) != 2:
        raise RuntimeError(f"wrk said something else:\n{output}")
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(f"some requests failed:\n{output}")
    return {"per_second": float(rate[1]), "p50_ms": times["50"], "p99_ms": times["99"]}


def load(asker: User, path: str, seconds: int) -> dict[str, float]:
    """Ask for a path as fast as it is answered; give the figures."""
    site = asker.site
    headers = (
        *("--header", f"Host: {site.url.removeprefix('http://')}"),
        *("--header", f"Authorization: Bearer {asker.token}"),
    )
    count = ("--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s")
    return parsed(
        run("wrk", "--latency", *count, *headers, f"http://127.0.0.1:{site.port}{path}").stdout
    )


def measure(asker: User, rounds: int, seconds: int) -> dict[str, Any]:
    """Measure both in turn; give all figures and the ratios of their medians."""
    found: dict[str, list[dict[str, float]]] = {key: [] for key in PATHS}
    for path in PATHS.values():
        load(asker, path, 1)  # not counted
    for number in range(rounds):
        for key, path in PATHS.items():
            found[key].append(load(asker, path, seconds))
        print(f"{number + 1}/{rounds}", {key: each[-1] for key, each in found.items()}, flush=True)
    ratios = {}
    for figure in ("per_second", "p50_ms", "p99_ms"):
        gated, plain = ([each[figure] for each in found[key]] for key in ("with", "without"))
        ratio = stats.ratio(gated, plain)
        ratios[figure] = ratio._asdict() if ratio else None
    return {"connections": CONNECTIONS, "seconds": seconds, "with_to_without": ratios, **found}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("there is no wrk; `apt-get install wrk` gets it")
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
    print(json.dumps(result["figures"]["with_to_without"], indent=2))


if __name__ == "__main__":
    main()
