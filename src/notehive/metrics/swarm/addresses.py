"""The addresses of users' servers and jobs: without one, a task waits without saying why."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from notehive.hub.room import addresses_left
from notehive.metrics.swarm import Swarm


def metrics(swarm: Swarm) -> Iterator[Metric]:
    """Give how many addresses the users' network has, and how many are left."""
    free, total = addresses_left(swarm.network, swarm.tasks, len(swarm.nodes))
    yield GaugeMetricFamily(
        "notehive_swarm_addresses", "Addresses of the users' network.", value=total
    )
    yield GaugeMetricFamily(
        "notehive_swarm_free_addresses", "Those that a new server could have.", value=free
    )
