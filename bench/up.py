"""What `up` promises an operator: minutes to install, seconds to do nothing, little memory.

usage: python -m bench.up [--cold]      (on a machine that does nothing else)

``--cold`` first removes every image of ours, the Debian image and the builds' cache, as on a
machine that has never seen Notehive; where there is no Docker engine, `up` installs it, and the
result says so. Writes bench/results/up.json.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.result import RESULTS, Begun, circumstances, engine, write
from tests.support.site import Site, docker

IDLE_SECONDS = 300
REPEATS = 5


def timed(site: Site) -> float:
    """Run `up`; give its seconds."""
    started = time.monotonic()
    site.up()
    return round(time.monotonic() - started, 2)


def forget_images() -> None:
    """Remove what earlier runs left that would make the first `up` faster."""
    images = {
        line.split()[1]
        for line in docker("image", "ls", "--format", "{{.Repository}} {{.ID}}").splitlines()
        if "notehive" in line
    }
    if images:
        docker("rmi", "--force", *images)
    docker("builder", "prune", "--all", "--force")


def median(values: list[float]) -> float:
    """Give the middle value."""
    return sorted(values)[len(values) // 2]


def measure(site: Site, *, cold: bool) -> dict[str, Any]:
    """Do it all on a site that is down; give the figures."""
    installed = bool(engine())
    if cold and installed:
        forget_images()
    figures: dict[str, Any] = {
        "cold": cold,
        "engine_was_installed": installed,
        "first_up_seconds": timed(site),
    }
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
    cold = "--cold" in sys.argv
    begun = Begun.now()
    with tempfile.TemporaryDirectory() as directory:
        site = Site(Path(directory))
        site.notehive("down", "--purge", "--yes", check=False)
        try:
            figures = measure(site, cold=cold)
        finally:
            site.notehive("down", "--purge", "--yes")
    command = "python -m bench.up" + (" --cold" if cold else "")
    result = {**circumstances(command, begun), "figures": figures}
    write(RESULTS / "up.json", result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
