"""The registry: images for the other nodes, which pull them through each node's forwarder."""

import base64
import functools
import json
import tempfile
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from notehive import docker, shell
from notehive.builder import lock
from notehive.errors import NotehiveError
from notehive.platform import storage, swarm
from notehive.settings import Settings

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def forwarder(settings: Settings) -> str:
    """Name of the image that forwards pulls to the registry, on every node.

    It is the one image that is not named by its content: a node on which no forwarder runs can
    pull none, and must be able to start the one that it has.
    """
    return f"127.0.0.1:{settings.network.registry_port}/notehive/forwarder:current"


def is_ours(settings: Settings, reference: str) -> bool:
    """Whether other nodes get an image from our registry: by its name, whoever built it."""
    return reference.startswith(f"127.0.0.1:{settings.network.registry_port}/")


def tag_forwarder(settings: Settings, image: str) -> None:
    """Give this image the forwarder's name on this node."""
    shell.run(docker.command("tag", image, forwarder(settings)))


def is_up(stack: str) -> bool:
    """Whether the registry runs on this node, and answers."""
    return bool(docker.containers(f"{stack}_registry", "health=healthy"))


def credential(stack: str) -> str:
    """Give the builder's login, from the registry's own container: it is written nowhere."""
    found = docker.containers(f"{stack}_registry")
    if not found:
        raise NotehiveError(
            "registry: its container is not on this node; push from the node that keeps the data"
        )
    password = docker.output("exec", found[0], "cat", "/run/secrets/registry-password")
    return base64.b64encode(f"builder:{password}".encode()).decode()


def digests(settings: Settings, login: str, reference: str) -> set[str]:
    """Give the digests by which engines know an image that the registry has; none if it lacks it.

    An engine's id of an image is the digest of its configuration or of its manifest.
    """
    name, _, tag = reference.partition("/")[2].rpartition(":")
    request = urllib.request.Request(
        f"http://127.0.0.1:{settings.network.push_port}/v2/{name}/manifests/{tag}",
        headers={"Accept": MANIFEST, "Authorization": f"Basic {login}"},
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # not by http_proxy
    try:
        with direct.open(request, timeout=10) as answer:
            manifest: dict[str, Any] = json.load(answer)
            return {answer.headers["Docker-Content-Digest"], manifest["config"]["digest"]}
    except HTTPError as error:
        if error.code == 404:
            return set()
        raise NotehiveError(
            f"registry: it answers {error.code}; see `./notehive logs registry`"
        ) from None
    except OSError as error:
        raise NotehiveError(
            f"registry: it does not answer ({error}); see `./notehive logs registry`"
        ) from None


def is_needed(settings: Settings) -> bool:
    """Whether other nodes pull from the registry, or will: then it has been given images."""
    if not settings.services.registry or not is_up(settings.name):
        return False
    if len(swarm.nodes()) > 1:
        return True
    return bool(digests(settings, credential(settings.name), forwarder(settings)))


def missing(settings: Settings, references: Iterable[str]) -> list[str]:
    """Give those of this node's images that the registry lacks, or has another of that name."""
    login = credential(settings.name)
    found = []
    for reference in filter(functools.partial(is_ours, settings), references):
        here = docker.inspect("image", reference)
        if here and here[0]["Id"] not in digests(settings, login, reference):
            found.append(reference)
    return found


def push_all(settings: Settings, references: Iterable[str], say: Callable[[str], None]) -> None:
    """Push images under the names that every node pulls them by."""
    pull = f"127.0.0.1:{settings.network.registry_port}"
    push = f"127.0.0.1:{settings.network.push_port}"
    auths = {"auths": {push: {"auth": credential(settings.name)}}}
    volume = storage.mountpoint(f"{settings.name}_registry")
    with (
        lock.pushing(volume),
        tempfile.TemporaryDirectory(prefix="notehive-push-") as directory,
    ):
        # A client configuration of our own: the operator's is not touched, and this one is gone.
        Path(directory, "config.json").write_text(json.dumps(auths))
        for reference in references:
            name = reference.removeprefix(pull)
            say(name.lstrip("/"))
            shell.run(docker.command("tag", reference, push + name))
            try:
                shell.run(docker.command("--config", directory, "push", "--quiet", push + name))
            finally:
                shell.run(docker.command("rmi", push + name), check=False)
