"""What Docker Swarm does not export by itself, for Prometheus.

On each node `notehive.metrics.node` tells what each container uses, and knows of it nothing but
its id. On the first node `notehive.metrics.swarm` tells whose each container is, how the Swarm is,
and what homes hold. Queries join the two by the label ``container``.
"""

PORT = 9180  # of both
ID_LENGTH = 12  # characters of a container's id, as `docker ps` shows it


def short(container: str) -> str:
    """Give the label ``container`` for a container's full id."""
    return container[:ID_LENGTH]
