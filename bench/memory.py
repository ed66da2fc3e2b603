"""Memory of containers, as the engine counts it: usage less inactive file cache."""

import statistics
import time
from collections.abc import Callable

from notehive import docker
from notehive.settings import parse_memory
from tests.support.site import Site

LOOKS, PAUSE_SECONDS = 3, 10  # of which the median counts
MIB = 2**20


def used(container: str) -> int:
    """Give the memory (bytes) of a container."""
    shown = docker.output("stats", "--no-stream", "--format", "{{.MemUsage}}", container)
    return parse_memory(shown.split("/")[0].strip().replace("iB", "").removesuffix("B"))


def of_airflow(site: Site) -> dict[str, int]:
    """Give the memory (bytes) of each service of Airflow's."""
    beginning = f"{site.name}_"
    names = [name.removeprefix(beginning) for name in site.services()]
    return {
        name: used(docker.containers(beginning + name)[0])
        for name in names
        if name.startswith("airflow")
    }


def steady(look: Callable[[], dict[str, int]]) -> dict[str, float]:
    """Look a few times; give the medians of each, and of all together, in MiB."""
    looks = []
    for number in range(LOOKS):
        if number:
            time.sleep(PAUSE_SECONDS)
        found = look()
        looks.append({**found, "all": sum(found.values())})
    return {
        name: round(statistics.median(each[name] for each in looks) / MIB, 1) for name in looks[0]
    }
