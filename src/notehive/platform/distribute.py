"""Images for the other nodes: pushed to the registry, from which every node's forwarder pulls."""

import base64
import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from notehive import docker, shell
from notehive.errors import NotehiveError
from notehive.settings import Settings


def credential(stack: str) -> str:
    """Give the builder's password, from the registry's own container: it is written nowhere."""
    found = docker.containers(f"{stack}_registry")
    if not found:
        raise NotehiveError(
            "registry: its container is not on this node; push from the node that keeps the data"
        )
    return docker.output("exec", found[0], "cat", "/run/secrets/registry-password")


def push_all(settings: Settings, references: Iterable[str], say: Callable[[str], None]) -> None:
    """Push images under the names that every node pulls them by."""
    pull = f"127.0.0.1:{settings.network.registry_port}"
    push = f"127.0.0.1:{settings.network.push_port}"
    auth = base64.b64encode(f"builder:{credential(settings.name)}".encode()).decode()
    with tempfile.TemporaryDirectory(prefix="notehive-push-") as directory:
        # A client configuration of our own: the operator's is not touched, and this one is gone.
        Path(directory, "config.json").write_text(json.dumps({"auths": {push: {"auth": auth}}}))
        for reference in references:
            name = reference.removeprefix(pull)
            say(name.lstrip("/"))
            shell.run(docker.command("tag", reference, push + name))
            try:
                shell.run(docker.command("--config", directory, "push", "--quiet", push + name))
            finally:
                shell.run(docker.command("rmi", push + name), check=False)
