"""What the containers of this node use: ``python3 -m notehive.metrics.node``."""

import os
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from notehive.metrics.cgroups import Cgroups, Used, open_tree
from notehive.metrics.disk import Disk
from notehive.metrics.network import Network
from notehive.metrics.serve import serve

CGROUPS = Path("/host/cgroup")
PROC = Path("/host/proc")
BY = ["container"]


class Containers:
    """What the containers of a node use, read anew at each scrape."""

    def __init__(self, cgroups: Cgroups, network: Network) -> None:
        self.cgroups = cgroups
        self.network = network

    def collect(self) -> Iterator[Metric]:
        """Give all metrics."""
        used = self._used()
        yield from _processor_and_memory(used)
        yield from _disks(used)
        yield from self._networks(used)

    def _used(self) -> dict[str, Used]:
        found = {}
        for container, group in self.cgroups.find().items():
            try:
                found[container] = self.cgroups.used(group)
            except OSError:
                continue  # it has ended meanwhile
        return found

    def _networks(self, used: dict[str, Used]) -> Iterator[Metric]:
        received = CounterMetricFamily(
            "notehive_container_network_receive_bytes", "Bytes received.", labels=BY
        )
        sent = CounterMetricFamily(
            "notehive_container_network_transmit_bytes", "Bytes sent.", labels=BY
        )
        for container, traffic in self.network.traffic(used).items():
            received.add_metric([container], traffic.received)
            sent.add_metric([container], traffic.sent)
        yield from (received, sent)


def _processor_and_memory(used: dict[str, Used]) -> Iterator[Metric]:
    cpu = CounterMetricFamily("notehive_container_cpu_seconds", "CPU time.", labels=BY)
    memory = GaugeMetricFamily(
        "notehive_container_memory_working_set_bytes",
        "Memory in use, less the cached files that can go at once.",
        labels=BY,
    )
    limit = GaugeMetricFamily(
        "notehive_container_memory_limit_bytes", "The most memory that it can use.", labels=BY
    )
    kills = CounterMetricFamily(
        "notehive_container_oom_kills", "Processes killed at the memory limit.", labels=BY
    )
    for container, each in used.items():
        cpu.add_metric([container], each.cpu)
        memory.add_metric([container], each.memory)
        kills.add_metric([container], each.oom_kills)
        if each.limit:
            limit.add_metric([container], each.limit)
    yield from (cpu, memory, limit, kills)


def _disks(used: dict[str, Used]) -> Iterator[Metric]:
    read = CounterMetricFamily(
        "notehive_container_disk_read_bytes", "Bytes read from disks.", labels=BY
    )
    written = CounterMetricFamily(
        "notehive_container_disk_written_bytes", "Bytes written to disks.", labels=BY
    )
    for container, each in used.items():
        if each.read is not None and each.written is not None:
            read.add_metric([container], each.read)
            written.add_metric([container], each.written)
    yield from (read, written)


if __name__ == "__main__":
    serve(Containers(open_tree(CGROUPS), Network(PROC)), Disk(os.environ["NODE"]))
