"""The services of a stack in the Swarm: what they are, and whether they run as they should."""

from collections.abc import Callable, Mapping
from typing import Any

from notehive import docker, shell
from notehive.errors import BadInput, NotehiveError
from notehive.platform.patience import until_none

ARRIVAL_SECONDS = 240


def container_spec(service: Mapping[str, Any]) -> dict[str, Any]:
    """Give the containers' part of what the engine says of a service."""
    spec: dict[str, Any] = service["Spec"]["TaskTemplate"]["ContainerSpec"]
    return spec


def renew(service: str) -> None:
    """Have a service start again with the image that its name means now."""
    shell.run(
        docker.command("service", "update", "--force", "--detach", "--no-resolve-image", service)
    )


def listed(stack: str) -> list[dict[str, Any]]:
    """Give the stack's platform services, as the engine describes them."""
    rows = docker.objects("service", "ls", "--filter", f"label=com.docker.stack.namespace={stack}")
    rows_by_name = {row["Name"]: row for row in rows}
    found = docker.inspect("service", *rows_by_name)
    for service in found:
        service["Replicas"] = rows_by_name[service["Spec"]["Name"]]["Replicas"]
    return found


def images_everywhere(stack: str) -> list[str]:
    """Give the images of what runs on every node."""
    everywhere = [each for each in listed(stack) if "Global" in each["Spec"]["Mode"]]
    return sorted({str(container_spec(each)["Image"]) for each in everywhere})


def replicas(service: Mapping[str, Any]) -> tuple[int, int]:
    """Give how many tasks of a service of `listed` run, and how many should."""
    running, _, desired = service["Replicas"].split(" ")[0].partition("/")
    return int(running), int(desired)


def require_ours(stack: str) -> None:
    """Raise BadInput if a stack of this name is somebody else's: it is not touched."""
    for service in listed(stack):
        if service["Spec"].get("Labels", {}).get("notehive.stack") != stack:
            raise BadInput(
                f"name: {stack}: the service {service['Spec']['Name']} of a stack of this name is "
                "not Notehive's; choose another name"
            )


def unready(stack: str) -> list[str]:
    """Give the services that do not run as they should, or are being updated."""
    late = []
    for service in listed(stack):
        name = service["Spec"]["Name"].removeprefix(f"{stack}_")
        # What runs on every node is the nodes' matter; one of them may be unable to.
        running, desired = (1, 1) if "Global" in service["Spec"]["Mode"] else replicas(service)
        state = service.get("UpdateStatus", {}).get("State", "completed")
        if state == "paused":
            raise NotehiveError(f"{name}: its update was stopped; {why(f'{stack}_{name}')}")
        if running != desired or state == "updating":
            late.append(name)
    return late


def await_arrival(stack: str, say: Callable[[str], None], seconds: float = ARRIVAL_SECONDS) -> None:
    """Wait until every service runs and is healthy; raise with the reason of one that does not."""
    until_none(
        lambda: unready(stack),
        seconds,
        lambda late: (
            f"{late[0]}: not running after {seconds:.0f} s; {why(f'{stack}_{late[0]}')}; "
            f"see `./notehive logs {late[0]}`"
        ),
        lambda late: say(f"waiting for {', '.join(late)}"),
    )


def why(service: str) -> str:
    """Give the Swarm's last word about a service that does not run."""
    rows = list(docker.objects("service", "ps", "--no-trunc", service))
    current = [row for row in rows if row["DesiredState"] in ("Running", "Ready")]
    # A task that waits says why itself; for one that only starts, the last failure is the reason.
    for row in [*current, *rows]:
        if row["Error"]:
            return f"{row['CurrentState']}: {row['Error'].strip(chr(34))}"
    return str(current[0]["CurrentState"]) if current else "no task"
