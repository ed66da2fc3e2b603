"""What runs, where, and what it costs."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from notehive import docker
from notehive.errors import NotehiveError
from notehive.platform import (
    certificate,
    homes,
    jenkins,
    machine,
    nodes,
    services,
    stack,
    swarm,
)
from notehive.platform.place import Workspace
from notehive.settings import Settings, parse_memory

# What a node says of itself.
NODE_KEYS = (
    *("name", "address", "state", "availability", "role", "data"),
    *("cpu", "memory", "servers", "images", "forwarder", "wall", "known"),
)


def status(settings: Settings) -> dict[str, Any]:
    """Give the state of a stack: its services, nodes, users' servers, images, and what is wrong.

    Memory is in bytes: usage less inactive file cache, of the containers on this node. So are
    homes and shared folders, as they were last measured.
    """
    name = settings.name
    if not machine.engine_version() or not swarm.require_usable().active:
        raise NotehiveError("nothing runs: this machine is in no Swarm; `./notehive up` makes one")
    with ThreadPoolExecutor() as pool:
        used = pool.submit(memory, name)
        size = pool.submit(image_sizes)
        stored = pool.submit(homes.usage, name)
        listed = services.listed(name)
        specs = swarm.services()
        listed_nodes = nodes.look(name, specs)
        held = homes.listed(settings, stored.result()["homes"])
        found = [_service(name, service, used.result()) for service in listed]
    return {
        "name": name,
        "url": stack.site_url(settings),
        "services": found,
        "servers": [
            _server(spec, used.result())
            for spec in specs.values()
            if spec["Labels"].get("notehive.stack") == name
            and spec["Labels"].get("notehive.kind") == "server"
        ],
        "homes": held,
        "storage": {key: stored.result()[key] for key in ("shared", "free", "total")},
        "nodes": [_node(node) for node in listed_nodes],
        "memory": sum(service["memory"] for service in found),
        "images": size.result(),
        "left_out": jenkins.left_out(settings, Workspace.of(name)),
        "wrong": [*wrong(found, listed_nodes), *(certificate.wrong(settings) if listed else ())],
    }


def wrong(found: list[dict[str, Any]], listed: list[nodes.Node]) -> list[str]:
    """Give what needs the operator's attention, a sentence each."""
    if not found:
        return ["nothing runs; `./notehive up` brings it up"]
    return [
        *(
            f"{s['name']}: {s['running']} of {s['desired']} run: {s['why']}"
            for s in found
            if s["why"]
        ),
        *(
            f"{s['name']}: is stopped, as while secrets are renewed; `./notehive up` starts it"
            for s in found
            if s["desired"] == 0
        ),
        *nodes.wrong(listed),
    ]


def _service(name: str, service: Mapping[str, Any], used: Mapping[str, int]) -> dict[str, Any]:
    full = service["Spec"]["Name"]
    short = full.removeprefix(f"{name}_")
    running, desired = services.replicas(service)
    return {
        "name": short,
        "running": running,
        "desired": desired,
        "memory": used.get(full, 0),
        "image": services.container_spec(service)["Image"],
        # What runs on every node is told with the nodes.
        "why": ""
        if running == desired or "Global" in service["Spec"]["Mode"]
        else services.why(full),
    }


def _server(spec: Mapping[str, Any], used: Mapping[str, int]) -> dict[str, Any]:
    labels = spec["Labels"]
    return {
        **{key: labels[f"notehive.{key}"] for key in ("user", "server", "image", "size")},
        "memory": used.get(spec["Name"], 0),
    }


def _node(node: nodes.Node) -> dict[str, Any]:
    return {
        **{key: getattr(node, key) for key in NODE_KEYS},
        "present": node.present,
        "reserved": {"cpu": node.reserved_cpu, "memory": node.reserved_memory},
    }


def memory(name: str) -> dict[str, int]:
    """Give the memory (bytes) of this node's containers, by service."""
    names = {}
    for row in docker.objects("ps", "--no-trunc"):
        labels = dict(label.partition("=")[::2] for label in row["Labels"].split(","))
        service = labels.get("com.docker.swarm.service.name", "")
        if service.startswith((f"{name}_", f"{name}-")):
            names[row["ID"][:12]] = service
    if not names:
        return {}
    found: dict[str, int] = {}
    for row in docker.objects("stats", "--no-stream", *names):
        service = names[row["ID"][:12]]
        used = row["MemUsage"].split("/")[0].strip().replace("iB", "").removesuffix("B")
        found[service] = found.get(service, 0) + parse_memory(used)
    return found


def image_sizes() -> dict[str, int]:
    """Give the size (bytes) of each of our images that a service or the form uses now."""
    listed: dict[str, int] = {}
    rows = [row for row in docker.objects("image", "ls") if "/notehive/" in row["Repository"]]
    for image in docker.inspect("image", *{row["ID"] for row in rows}):
        for tag in image["RepoTags"] or ():
            short = tag.rpartition("/")[2].partition(":")[0]
            listed.setdefault(short, image["Size"])
    return listed
