"""Notebook images on every node before anybody needs them: for each a service that only pulls.

Its tasks do nothing, and each node runs one: the nodes that are there, and those that join later.
"""

import hashlib
from collections.abc import Mapping

from notehive import docker, shell

KIND = "prepull"


def service(stack: str, key: str, reference: str) -> str:
    """Name of the service that pulls an image of the settings; another image, another service."""
    return f"{stack}_pull-{key}-{hashlib.sha256(reference.encode()).hexdigest()[:8]}"


def ensure(stack: str, images: Mapping[str, str]) -> list[str]:
    """Have every node pull these images (Docker's reference by key); give the keys of new ones."""
    wanted = {service(stack, key, reference): key for key, reference in images.items()}
    there = services(stack)
    if old := there.keys() - wanted.keys():
        shell.run(docker.command("service", "rm", *sorted(old)))
    created = [name for name in wanted if name not in there]
    for name in created:
        key = wanted[name]
        labels = {"notehive.stack": stack, "notehive.kind": KIND, "notehive.image": key}
        shell.run(docker.create_pull(name, images[key], labels))
    return [wanted[name] for name in created]


def services(stack: str) -> dict[str, tuple[str, str]]:
    """Give key and reference of each image that nodes are to have, by the service that pulls it."""
    rows = docker.objects(
        *("service", "ls", "--filter", f"label=notehive.stack={stack}"),
        *("--filter", f"label=notehive.kind={KIND}"),
    )
    found = {}
    for each in docker.inspect("service", *(row["Name"] for row in rows)):
        spec = each["Spec"]
        reference = spec["TaskTemplate"]["ContainerSpec"]["Image"]
        found[spec["Name"]] = spec["Labels"]["notehive.image"], reference
    return found
