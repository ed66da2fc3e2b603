"""The nodes: which are well, what they have, and how much of it is reserved."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from notehive.hub import room
from notehive.hub.tasks import Task
from notehive.metrics.swarm import Swarm

WELL = "ready"


def metrics(swarm: Swarm) -> Iterator[Metric]:
    """Give the state of each node, its capacity, and what tasks of any stack have reserved."""
    state = GaugeMetricFamily(
        "notehive_swarm_node_state",
        "The state that a node is in; always 1.",
        labels=["node", "role", "state"],
    )
    cpu, memory, reserved_cpu, reserved_memory = (
        GaugeMetricFamily(f"notehive_swarm_node_{name}", said, labels=["node"])
        for name, said in (
            ("cpu_cores", "Processor cores of a node."),
            ("memory_bytes", "Memory of a node."),
            ("reserved_cpu_cores", "Processor cores that tasks on a node have reserved."),
            ("reserved_memory_bytes", "Memory that tasks on a node have reserved."),
        )
    )
    reserved = room.reserved_by_node(task for task in swarm.tasks if Task.read(task).present)
    for node in swarm.nodes:
        name = room.hostname(node)
        state.add_metric([name, node["Spec"]["Role"], room.trouble(node) or WELL], 1)
        has, taken = room.amounts_of(node["Description"]["Resources"]), reserved[node["ID"]]
        cpu.add_metric([name], has["cpu"] / 1e9)
        memory.add_metric([name], has["memory"])
        reserved_cpu.add_metric([name], taken["cpu"] / 1e9)
        reserved_memory.add_metric([name], taken["memory"])
    yield from (state, cpu, memory, reserved_cpu, reserved_memory)
