"""Whose each container is: what queries join to what the nodes tell of it."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from notehive.metrics import short
from notehive.metrics.swarm import Swarm

# By which services are labelled, as `notehive.user`; whatever one has not is empty.
LABELS = ("kind", "user", "server", "image", "size", "group", "model", "pipeline", "step")


def metrics(swarm: Swarm) -> Iterator[Metric]:
    """Give one series for each container of a running task."""
    info = GaugeMetricFamily(
        "notehive_container_info",
        "Whose a container is; always 1.",
        labels=["container", "node", "service", *LABELS],
    )
    for task in swarm.tasks:
        service = swarm.services.get(task.get("ServiceID", ""))
        status = task["Status"]
        container = (status.get("ContainerStatus") or {}).get("ContainerID")
        if service is None or status["State"] != "running" or not container:
            continue
        spec = service["Spec"]
        said = [spec["Labels"].get(f"notehive.{key}", "") for key in LABELS]
        node = swarm.hostnames.get(task.get("NodeID", ""), "")
        info.add_metric([short(container), node, spec["Name"], *said], 1)
    yield info
