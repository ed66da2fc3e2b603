"""A hundred servers on three nodes: how the hub answers while they come and go, and what it takes.

usage: python -m bench.many      (on a machine that does nothing else)

The nodes are namespaces of this one machine, the servers stand-ins of a few MiB (tests/support):
what is measured is the hub and the Swarm. Writes bench/results/many.json.
"""

import json
import time
from typing import Any

from bench import stats
from bench.result import RESULTS, Begun, circumstances, write
from tests.support.cluster import Cluster, brought_up
from tests.support.crowd import AT_ONCE, Health, add_stand_in, crowd

SERVERS = 100


def summary(health: Health) -> dict[str, Any]:
    """Give what was seen, in milliseconds."""
    return {
        "asked": len(health.seconds),
        "not_200": sum(status != 200 for status in health.statuses),
        "p50_ms": round(stats.percentile(health.seconds, 0.5) * 1000, 1),
        "p99_ms": round(stats.percentile(health.seconds, 0.99) * 1000, 1),
        "max_ms": round(max(health.seconds) * 1000, 1),
    }


def measure(cluster: Cluster) -> dict[str, Any]:
    """Have the servers come and go; give the figures."""
    figures: dict[str, Any] = {"servers": SERVERS, "starts_at_once": AT_ONCE}
    with crowd(cluster.site, SERVERS) as many:
        figures["hub_mib_before"] = cluster.hub_memory() >> 20
        for name, work in (("come", many.come), ("go", many.go)):
            began = time.monotonic()
            with Health(cluster.site) as hub, Health(cluster.site, "/healthz") as nginx:
                work()
            seconds = round(time.monotonic() - began, 1)
            figures[name] = {
                "seconds": seconds,
                "hub_health": summary(hub),
                "nginx_alone": summary(nginx),
            }
            figures[f"hub_mib_after_{name}"] = cluster.hub_memory() >> 20
    return figures


def main() -> None:
    """Measure and write the result."""
    with brought_up() as cluster:
        cluster.restore()
        add_stand_in(cluster)
        begun = Begun.now()
        figures = measure(cluster)
    result = {**circumstances("python -m bench.many", begun), "figures": figures}
    write(RESULTS / "many.json", result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
