"""The peer: a JupyterHub with stock SwarmSpawner, on the same Swarm and the same interpreter."""

import re
import secrets
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import servers
from notehive import docker, shell
from notehive.platform import down
from notehive.platform.up import await_site
from notehive.settings import Size
from tests.support.site import ROOT

HERE = Path(__file__).parent / "stock"
# Docker loads IPVS when it makes a Swarm, where the kernel has it.
ENDPOINT_MODE = "vip" if Path("/proc/net/ip_vs").exists() else "dnsrr"


@dataclass(frozen=True)
class Notebook:
    """What a server of the peer runs."""

    image: str
    command: str


def packages(pyproject: str) -> str:
    """Give what the notebook image is to have, as requirements for pip."""
    groups = tomllib.loads(pyproject)["dependency-groups"]
    return "".join(f"{package}\n" for package in groups["notebooks-base"])


def versions(requirements: str) -> str:
    """Give the pins of a requirements file without their hashes, as constraints for pip."""
    return "".join(f"{pin}\n" for pin in re.findall(r"^\S+==\S+", requirements, re.M))


def build_image(reference: str, python: str) -> None:
    """Build the peer's notebook image on our image of Python; what is built already is kept."""
    with tempfile.TemporaryDirectory() as directory:
        context = Path(directory)
        shutil.copy(HERE / "Dockerfile", context)
        wanted = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        (context / "packages.txt").write_text(packages(wanted), encoding="utf-8")
        pins = (ROOT / "requirements/notebooks-base.txt").read_text(encoding="utf-8")
        (context / "versions.txt").write_text(versions(pins), encoding="utf-8")
        shell.run(
            docker.command(
                *("build", "--build-arg", f"PYTHON={python}", "--tag", reference, directory)
            ),
            env={"DOCKER_BUILDKIT": "1"},
        )


@contextmanager
def peer(
    stack: str, port: int, notebook: Notebook, size: Size, *, hub_image: str, proxy_image: str
) -> Iterator[str]:
    """Bring up a peer; give a token of its administrator. It is gone with all homes afterwards."""
    token = secrets.token_hex(16)
    variables = {
        "STACK": stack,
        "PORT": str(port),
        "IMAGE_HUB": hub_image,
        "IMAGE_PROXY": proxy_image,
        "API_TOKEN": token,
        "PROXY_TOKEN": secrets.token_hex(16),
        "NOTEBOOK_IMAGE": notebook.image,
        "NOTEBOOK_COMMAND": notebook.command,
        "CPU_LIMIT": str(size.limit.cpu),
        "CPU_GUARANTEE": str(size.reserved.cpu),
        "MEMORY_LIMIT": str(size.limit.memory),
        "MEMORY_GUARANTEE": str(size.reserved.memory),
        "ENDPOINT_MODE": ENDPOINT_MODE,
    }
    try:
        shell.run(docker.deploy(str(HERE / "stack.yml"), stack), env=variables)
        await_site(f"http://127.0.0.1:{port}", 120)
        yield token
    finally:
        remove(stack)


def remove(stack: str) -> None:
    """Remove a peer, its servers and their homes."""
    servers.remove_all(stack)
    label = f"label=com.docker.stack.namespace={stack}"
    shell.run(docker.command("stack", "rm", stack), check=False)
    down.await_gone(stack)
    down.await_removed(down.ids("network", label))
    down.remove("config", down.ids("config", label))
