"""What must be so before anything is changed. Each check says what it found, or raises BadInput."""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from notehive import docker
from notehive.errors import BadInput
from notehive.platform import (
    certificate,
    database,
    identity,
    machine,
    outside,
    services,
    site,
    stack,
    storage,
    swarm,
)
from notehive.settings import GIB, Settings, format_memory

MEMORY_NEEDED = 2 * GIB  # of the machine: the platform, its peak while starting, a small server
DISK_NEEDED = 12 * GIB  # free, for all images and the builds' cache
DISK_KEPT = 2 * GIB  # free, once the images are there

Check = Callable[[Settings], str]


def all_checks() -> Iterator[tuple[str, Check]]:
    """Give title and function of each check, in order; later ones rely on earlier ones."""
    yield "Settings", check_settings
    yield "Logins", identity.require_usable
    yield "Repositories", outside.check
    yield "Certificate", certificate.check
    yield "Machine", check_machine
    yield "Docker engine", check_engine
    yield "Storage", check_storage
    yield "Swarm", check_swarm
    yield "Ports", check_ports
    yield "Network", check_network


def check_settings(settings: Settings) -> str:
    """The files and folders that the settings name are there."""
    site.base_files(settings)
    if not settings.url and machine.address().startswith("127."):
        raise BadInput("url: this machine has no route to others to take an address from; set it")
    for key, image in settings.images.items():
        stack.notebook_image(key, image)
    return f"{settings.name} at {stack.site_url(settings)}"


def check_machine(settings: Settings) -> str:
    """There is enough memory and disk."""
    memory = psutil.virtual_memory().total
    directory = docker_directory()
    free = psutil.disk_usage(str(directory)).free
    judge_machine(memory, free, directory, installed=is_installed(settings.name))
    return f"{psutil.cpu_count()} cores, {format_memory(memory)} memory, {format_memory(free)} free"


def judge_machine(memory: int, free: int, directory: Path, *, installed: bool) -> None:
    """Raise BadInput if the memory of the machine or the free disk (bytes) are too little."""
    if memory < MEMORY_NEEDED:
        raise BadInput(
            f"memory: this machine has {format_memory(memory)}, "
            f"Notehive needs {format_memory(MEMORY_NEEDED)}; use a larger machine"
        )
    needed = DISK_KEPT if installed else DISK_NEEDED
    if free < needed:
        raise BadInput(
            f"disk: {directory} has {format_memory(free)} free, "
            f"{format_memory(needed)} are needed; "
            "make room (`docker builder prune` empties the builds' cache)"
        )


def docker_directory() -> Path:
    """Give the directory that images are kept in, or the nearest one above that exists."""
    path = Path("/var/lib/docker")
    if machine.engine_version():
        path = Path(docker.output("info", "--format", "{{.DockerRootDir}}"))
    while not path.exists():
        path = path.parent
    return path


def is_installed(name: str) -> bool:
    """Whether this stack has been brought up here before."""
    return bool(machine.engine_version() and docker.inspect("volume", database.volume(name)))


def check_engine(settings: Settings) -> str:
    """An engine answers, or can be installed."""
    machine.require_engine_possible()
    if version := machine.engine_version():
        return version
    return "none answers; it will be installed and started"


def check_storage(settings: Settings) -> str:
    """The storage of homes is there, as far as it is not made by `up`."""
    return storage.require_usable(settings)


def check_swarm(settings: Settings) -> str:
    """The node manages a Swarm, or can begin one; the data are where they should be."""
    if not machine.engine_version():
        return "one will be made"
    here = swarm.require_usable()
    if not here.active:
        return "one will be made"
    services.require_ours(settings.name)
    database.require_intact(settings.name, here)
    count = len(swarm.nodes())
    return f"{count} node{'s' if count > 1 else ''}"


def ports(settings: Settings) -> dict[int, str]:
    """Give the ports of this machine that the stack listens on, and which setting says so."""
    wanted = {settings.port: "tls.http_port" if settings.is_proxied else "url"}
    if settings.redirect_port:
        wanted[settings.redirect_port] = "tls.http_port"
    if settings.services.registry:
        wanted |= {
            settings.network.registry_port: "network.registry_port",
            settings.network.push_port: "network.registry_port (and one above)",
        }
    if storage.has_server(settings.storage):
        wanted[settings.storage.nfs.port] = "storage.nfs.port"
    return wanted


def check_ports(settings: Settings) -> str:
    """The ports are free, or this stack's already."""
    wanted = ports(settings)
    if machine.engine_version() and swarm.membership().manager:
        own = own_ports(settings.name)
        wanted = {port: key for port, key in wanted.items() if port not in own}
    for port, key in wanted.items():
        if taken := machine.listeners(port):
            owner = container_on(port) or taken[0].process
            raise BadInput(
                f"port {port} is taken by {owner}; stop it, or choose another with {key}:"
            )
    return ", ".join(str(port) for port in ports(settings))


def own_ports(name: str) -> set[int]:
    """Give the ports that the running stack listens on: published ones, and the forwarder's."""
    found = set()
    for service in services.listed(name):
        for port in service["Endpoint"]["Spec"].get("Ports", []):
            found.add(int(port["PublishedPort"]))
        for variable in services.container_spec(service).get("Env", []):
            key, _, value = variable.partition("=")
            if key == "PORT":
                found.add(int(value))
    return found


def container_on(port: int) -> str:
    """Give the container that publishes a port, or nothing."""
    if not machine.engine_version():
        return ""
    for row in docker.objects("ps", "--filter", f"publish={port}"):
        return f"the container {row['Names']}"
    return ""


def check_network(settings: Settings) -> str:
    """The users' subnet holds no address of this machine's, and is the running stack's."""
    subnet = ipaddress.ip_network(settings.network.users)
    name = f"{settings.name}_users"
    existing = docker.inspect("network", name) if machine.engine_version() else []
    if existing:
        there = existing[0]["IPAM"]["Config"][0]["Subnet"]
        if there != str(subnet):
            raise BadInput(
                f"network.users: the network of the running stack is {there}; "
                "to change it, `./notehive down` first"
            )
        return f"users at {subnet}"
    for interface, addresses in psutil.net_if_addrs().items():
        for address in addresses:
            if address.family == socket.AF_INET and ipaddress.ip_address(address.address) in subnet:
                raise BadInput(
                    f"network.users: {subnet} holds {address.address} of this machine's "
                    f"{interface}; "
                    "choose another subnet"
                )
    return f"users at {subnet}"
