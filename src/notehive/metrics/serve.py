"""Metrics over HTTP, made at each request."""

from threading import Thread

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.registry import Collector

from notehive.metrics import PORT


def registry(*collectors: Collector) -> CollectorRegistry:
    """Give a registry of these alone, without the figures of this very process."""
    found = CollectorRegistry()
    for collector in collectors:
        found.register(collector)
    return found


def start(*collectors: Collector) -> Thread:
    """Serve from a thread, which is given, beside what this process does."""
    _, thread = start_http_server(PORT, registry=registry(*collectors))
    return thread


def serve(*collectors: Collector) -> None:
    """Serve until the container is stopped."""
    start(*collectors).join()
