"""What homes and shared folders hold, as the storage keeper last measured it."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from notehive.hub.config import read_secret
from notehive.metrics import web

URL = "http://storage:8091/usage"


def ask() -> Any:
    """Ask the keeper. Raises OSError if it does not answer."""
    return web.read(URL, read_secret("usage-token"))


def metrics(usage: Any) -> Iterator[Metric]:
    """Give the space that is used, by directory, and that of the whole file system."""
    used = GaugeMetricFamily(
        "notehive_storage_used_bytes",
        "What a home or a shared folder holds.",
        labels=["kind", "directory"],
    )
    for kind in ("homes", "shared"):
        for directory, size in usage[kind].items():
            used.add_metric([kind, directory], size)
    yield used
    yield GaugeMetricFamily(
        "notehive_storage_free_bytes", "Space that is free for them.", value=usage["free"]
    )
    yield GaugeMetricFamily(
        "notehive_storage_size_bytes", "Space that there is.", value=usage["total"]
    )
