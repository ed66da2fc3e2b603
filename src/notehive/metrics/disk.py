"""The disk of a node."""

import os
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily


class Disk:
    """The disk on which Docker keeps images, containers and volumes: that of our own root."""

    def __init__(self, node: str, path: str = "/") -> None:
        self.node = node
        self.path = path

    def collect(self) -> Iterator[Metric]:
        """Give its size, and what is free of it."""
        found = os.statvfs(self.path)
        size = GaugeMetricFamily(
            "notehive_node_disk_size_bytes", "Space of the disk that Docker uses.", labels=["node"]
        )
        free = GaugeMetricFamily(
            "notehive_node_disk_free_bytes", "What is free of that disk.", labels=["node"]
        )
        size.add_metric([self.node], found.f_blocks * found.f_frsize)
        free.add_metric([self.node], found.f_bavail * found.f_frsize)
        yield from (size, free)
