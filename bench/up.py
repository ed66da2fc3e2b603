"""What `up` promises an operator: minutes to install, seconds to do nothing, little memory.

usage: python -m bench.up [--cold]      (on a machine that does nothing else)

``--cold`` takes an engine that has no image and no cache of builds, as on a machine that has
never seen Notehive: the first node of the tests' cluster. Writes bench/results/up.json.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.result import RESULTS, Begun, circumstances, write
from tests.support.cluster import new
from tests.support.site import SETTINGS, Site

IDLE_SECONDS = 300
REPEATS = 5


def timed(site: Site) -> float:
    """Run `up`; give its seconds."""
    started = time.monotonic()
    site.up()
    return round(time.monotonic() - started, 2)


@contextmanager
def cold() -> Iterator[Site]:
    """A site of an engine that has nothing yet."""
    cluster = new(machines=1)
    cluster.settings = {**SETTINGS, "url": f"http://{cluster.nodes[0].address}:8080"}
    cluster.remove()
    cluster.create()
    try:
        yield cluster.site
    finally:
        cluster.remove()


@contextmanager
def warm() -> Iterator[Site]:
    """A site of this machine's engine, which may have built the images before."""
    with tempfile.TemporaryDirectory() as directory:
        site = Site(Path(directory))
        site.notehive("down", "--purge", "--yes", check=False)
        try:
            yield site
        finally:
            site.notehive("down", "--purge", "--yes")


def median(values: list[float]) -> float:
    """Give the middle value."""
    return sorted(values)[len(values) // 2]


def measure(site: Site) -> dict[str, Any]:
    """Do it all on a site that is down; give the figures."""
    site.settings.pop("services")  # what the tests leave out, operators have
    figures: dict[str, Any] = {"first_up_seconds": timed(site)}
    before = site.tasks()
    again = [timed(site) for _ in range(REPEATS)]
    figures["second_up_seconds"] = {"each": again, "median": median(again)}
    figures["second_up_restarted"] = sorted(set(before.values()) - set(site.tasks().values()))

    site.settings["sizes"]["large"] = {"limit": {"cpu": 2, "memory": "2G"}}
    figures["changed_setting_seconds"] = timed(site)
    after = site.tasks()
    figures["changed_setting_restarted"] = sorted(
        service for task, service in before.items() if task not in after
    )
    print(f"waiting {IDLE_SECONDS} s for the platform to be idle", flush=True)
    time.sleep(IDLE_SECONDS)
    status = json.loads(site.notehive("status", "--json").stdout)
    figures["idle_memory_mib"] = {s["name"]: s["memory"] >> 20 for s in status["services"]}
    figures["idle_memory_mib"]["all"] = status["memory"] >> 20
    figures["image_mib"] = {name: size >> 20 for name, size in status["images"].items()}
    return figures


def main() -> None:
    """Measure and write the result."""
    is_cold = "--cold" in sys.argv
    begun = Begun.now()
    with (cold if is_cold else warm)() as site:
        figures = measure(site)
    command = "python -m bench.up" + (" --cold" if is_cold else "")
    result = {**circumstances(command, begun), "figures": {"cold": is_cold, **figures}}
    write(RESULTS / "up.json", result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
