"""Logs of a service's tasks, those that have ended included, in the order of time."""

from collections.abc import Sequence

from notehive import docker, shell
from notehive.errors import NotehiveError
from notehive.platform import services


def require_containers(service: str) -> list[str]:
    """Give the containers of a service; raise with the Swarm's reason if it never had one."""
    found = docker.containers(service, ended=True)
    if not found:
        raise NotehiveError(f"{service}: has no container on this node; {services.why(service)}")
    return found


def lines(service: str, tail: int) -> list[str]:
    """Give the last lines of a service, each with its time, as UTC.

    Read from the containers of this node, where every service of the platform has one:
    `docker service logs` gives one task after the other, and hangs when one has much to say.
    """
    found: list[str] = []
    for container in require_containers(service):
        done = shell.run(docker.logs(container, tail=tail))
        found += (done.out + done.err).splitlines()
    return sorted(found)[-tail:]


def follow(service: str, tail: int) -> Sequence[str]:
    """Give the command that shows the newest task's log and goes on as it comes."""
    return docker.logs(require_containers(service)[0], tail=tail, follow=True)
