"""The Swarm service that is a user's server: built from what is given, without asking anybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from docker.types import (
    ConfigReference,
    ContainerSpec,
    DriverConfig,
    EndpointSpec,
    Mount,
    NetworkAttachmentConfig,
    Placement,
    Resources,
    RestartPolicy,
    SecretReference,
    TaskTemplate,
)

from notehive.hub.config import HubFile
from notehive.wall import MARK

SYSCTLS = {
    # Docker lets anybody in a container send from a port below 1024. By such a port an NFS server
    # knows a node's kernel from a program that asks for other people's homes.
    "net.ipv4.ip_unprivileged_port_start": "1024",
    MARK[0]: MARK[1],
}
# In notebooks-images/base. Named here, so that no image starts without walls: not by an entrypoint
# of its own, and not at all if it is built on none of ours. With their paths, for the directory
# that is searched first is in the user's home.
ENTRYPOINT = ["/usr/local/bin/walled", "/usr/local/bin/docker-entrypoint"]


@dataclass(frozen=True)
class Amounts:
    """CPU (cores), memory (bytes) and processes of a server, and what is kept for it."""

    cpu: float
    memory: int
    pids: int  # processes and threads: a fork bomb ends there
    reserved_cpu: float
    reserved_memory: int
    generic: Mapping[str, int] = field(default_factory=dict)  # by kind, as nodes advertise them


@dataclass(frozen=True)
class Extra:
    """What an operator adds by SwarmSpawner's options ``extra_...``; it wins over ours.

    What a server does not work without stays: its labels, mounts, secrets, configs, constraints,
    network, and what its walls are made by.
    """

    container: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    placement: Mapping[str, Any] = field(default_factory=dict)
    task: Mapping[str, Any] = field(default_factory=dict)
    endpoint: Mapping[str, Any] = field(default_factory=dict)
    create: Mapping[str, Any] = field(default_factory=dict)


def shared_memory(limit: int) -> Mount:
    """Give the mount of shared memory, half of a memory limit (bytes): Swarm ignores shm_size."""
    return Mount(target="/dev/shm", source=None, type="tmpfs", tmpfs_size=limit // 2)  # noqa: S108


def certificates(trusted: HubFile | None) -> list[ConfigReference]:
    """Give the certificates to trust, where the site's own comes from a private authority."""
    if trusted is None:
        return []
    return [ConfigReference(trusted.id, trusted.name, filename=trusted.target, mode=0o444)]


def build(
    *,
    name: str,
    image: str,
    args: Sequence[str],
    env: Mapping[str, str],
    labels: Mapping[str, str],
    mounts: Sequence[Mount],
    secrets: Sequence[SecretReference],
    configs: Sequence[ConfigReference],
    amounts: Amounts,
    network: str,
    constraints: Sequence[str],
    extra: Extra,
) -> dict[str, Any]:
    """Give the arguments of docker-py's ``create_service``."""
    resources = Resources(
        **{
            "cpu_limit": int(amounts.cpu * 1e9),
            "cpu_reservation": int(amounts.reserved_cpu * 1e9),
            "mem_limit": amounts.memory,
            "mem_reservation": amounts.reserved_memory,
            "generic_resources": dict(amounts.generic) or None,
            **extra.resources,
        }
    )
    resources.setdefault("Limits", {})["Pids"] = amounts.pids  # docker-py has no argument for it
    container = ContainerSpec(
        **{
            "image": image,
            "args": list(args),
            "env": dict(env),
            "init": True,
            "cap_drop": ["ALL"],
            **extra.container,
            "labels": {**extra.container.get("labels", {}), **labels},
            "mounts": [*mounts, *extra.container.get("mounts", ())],
            "secrets": [*secrets, *extra.container.get("secrets", ())],
            "configs": [*configs, *extra.container.get("configs", ())],
            "command": ENTRYPOINT,
            "sysctls": {**extra.container.get("sysctls", {}), **SYSCTLS},
        }
    )
    placement = {
        **extra.placement,
        "constraints": [*constraints, *(extra.placement.get("constraints") or ())],
    }
    task = TaskTemplate(
        **{
            "container_spec": container,
            "resources": resources,
            "placement": Placement(**placement),
            # A user's own "Shut Down" and a crash both end the server; the hub says so.
            "restart_policy": RestartPolicy(condition="none"),
            "log_driver": DriverConfig("json-file", {"max-size": "10m", "max-file": "3"}),
            **extra.task,
            "networks": [NetworkAttachmentConfig(network), *extra.task.get("networks", ())],
        }
    )
    return {
        "task_template": task,
        "name": name,
        # A virtual IP would drop idle connections, and cost a second address.
        "endpoint_spec": EndpointSpec(**{"mode": "dnsrr", **extra.endpoint}),
        **extra.create,
        "labels": {**extra.create.get("labels", {}), **labels},
    }
