"""Tasks by state and reason, and services of the platform that are short of them."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from notehive.metrics.swarm import Described, Swarm
from notehive.metrics.swarm.reasons import reason


def metrics(swarm: Swarm) -> Iterator[Metric]:
    """Give how many tasks there are of each kind, and how many each service has and wants."""
    tasks = GaugeMetricFamily(
        "notehive_swarm_tasks",
        "Tasks that the Swarm remembers; the reason why one does not run, if it is known.",
        labels=["kind", "state", "reason"],
    )
    counts = Counter(
        (labels.get("notehive.kind", ""), task.state, reason(task)) for task, labels in swarm.ours
    )
    for (kind, state, why), number in counts.items():
        tasks.add_metric([kind, state, why], number)
    yield tasks
    yield from _replicas(swarm)


def _replicas(swarm: Swarm) -> Iterator[Metric]:
    wanted = GaugeMetricFamily(
        "notehive_swarm_service_tasks_wanted",
        "Tasks that a service of the platform is to have.",
        labels=["service"],
    )
    running = GaugeMetricFamily(
        "notehive_swarm_service_tasks_running",
        "Those of them that run, and are healthy where they say so.",
        labels=["service"],
    )
    runs = Counter(task.service for task, _ in swarm.ours if task.running)
    for service in swarm.services.values():
        spec = service["Spec"]
        if spec["Labels"].get("notehive.kind") == "platform":
            wanted.add_metric([spec["Name"]], _wanted(swarm, service))
            running.add_metric([spec["Name"]], runs[service["ID"]])
    yield from (wanted, running)


def _wanted(swarm: Swarm, service: Described) -> int:
    """Give how many tasks a service is to have: of a global one, as many as the Swarm made."""
    if replicated := service["Spec"]["Mode"].get("Replicated"):
        return int(replicated.get("Replicas", 1))
    return sum(task.wanted for task, _ in swarm.ours if task.service == service["ID"])
