"""What the platform's parts do not tell Prometheus by themselves.

On each node `notehive.metrics.node` tells what each container uses, and knows of it nothing but
its id. On the first node `notehive.metrics.swarm` tells whose each container is, how the Swarm is,
and what homes hold. Queries join the two by the label ``container``. MLflow and Airflow tell of
themselves with `notehive.metrics.requests` and `notehive.airflow.metrics`.
"""

PORT = 9180  # of all of them
ID_LENGTH = 12  # characters of a container's id, as `docker ps` shows it


def short(container: str) -> str:
    """Give the label ``container`` for a container's full id."""
    return container[:ID_LENGTH]
