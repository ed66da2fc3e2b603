"""How a machine becomes a node: what to type there.

A new node cannot pull the image of the forwarder that it pulls everything else through. So it
loads this one from the site, under a name that is a digest and is checked by it: nobody on the
way can give it another, whatever certificate the site has. It holds no secret; the Swarm's token
is only in what is printed.
"""

import hashlib
import tempfile
from pathlib import Path

from notehive import docker, shell
from notehive.errors import BadInput, NotehiveError
from notehive.platform import database, distribute, prepull, services, stack, storage, swarm
from notehive.platform.steps import Steps
from notehive.settings import Settings

SERVED = "/tmp/nginx/node"  # noqa: S108 - in Nginx's container; see nginx/nginx.conf
TOLD = """\
The new machine needs Docker Engine 20.10 or newer and curl; on Debian:
apt-get install -y {packages}
Between it and every other node these ports are open: 2377/tcp, 7946/tcp, 7946/udp, 4789/udp;
towards this one also {ports}.
Once it has joined, type `./notehive up` here, so that walls{others} know its address.
Type there, as root:
"""
COMMAND = """\
archive=$(mktemp) &&
curl -fsSk --noproxy '*' -o "$archive" {url}/node/{digest}.tar &&
echo "{digest}  $archive" | sha256sum --check --quiet &&
docker load --quiet --input "$archive" && rm "$archive" &&
docker swarm join --token {token} {manager}
"""


def prepare(settings: Settings, steps: Steps) -> tuple[str, str]:
    """Make ready what a new node needs; give what to tell the operator, and what to type there."""
    require_possible(settings)
    node = swarm.data_node(settings.name)
    if node is None:
        raise BadInput(f"{settings.name}: is not up; `./notehive up` first")
    with steps.step("Images to the registry") as step:
        notebooks = [reference for _, reference in prepull.services(settings.name).values()]
        parts = services.images_everywhere(settings.name)  # the forwarder's is among them
        absent = distribute.missing(settings, [*parts, *notebooks])
        distribute.push_all(settings, absent, step.say)
        step.say(f"{len(absent)} pushed") if absent else step.skip("are there")
    with steps.step("The forwarder's image to the site"):
        digest = serve(settings.name, distribute.forwarder(settings))
    typed = COMMAND.format(
        url=stack.direct_url(settings, swarm.address(node)),
        digest=digest,
        token=docker.output("swarm", "join-token", "--quiet", "worker"),
        manager=node["ManagerStatus"]["Addr"],
    )
    nfs = settings.storage.kind == "nfs"
    ports = [settings.port, settings.network.push_port]
    if storage.has_server(settings.storage):
        ports.append(settings.storage.nfs.port)
    told = TOLD.format(
        packages="docker.io curl" + (" nfs-common" if nfs else ""),
        ports=", ".join(f"{each}/tcp" for each in ports),
        others=" and the NFS server" if storage.has_server(settings.storage) else "",
    )
    return told, typed


def require_possible(settings: Settings) -> None:
    """Raise BadInput where no other node could take part."""
    here = swarm.require_usable()
    database.require_intact(settings.name, here)
    if not settings.services.registry:
        raise BadInput(
            "services.registry: is off, and other nodes get their images from it; "
            "switch it on, then `./notehive up`"
        )
    if here.address.startswith("127."):
        raise BadInput(
            f"Docker Swarm: it was made at {here.address}, which no other machine reaches; "
            "docs/nodes.md says how to change that"
        )


def serve(name: str, image: str) -> str:
    """Put an image's archive where Nginx serves it; give its digest, which is its name there."""
    found = docker.containers(f"{name}_nginx")
    if not found:
        raise NotehiveError("nginx: its container is not on this node; `./notehive up` first")
    with tempfile.TemporaryDirectory(prefix="notehive-node-") as directory:
        archive = Path(directory, "archive")
        shell.run(docker.command("save", "--output", str(archive), image))
        archive.chmod(0o644)
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        served = archive.rename(archive.with_name(f"{digest}.tar"))
        shell.run(docker.command("cp", str(served), f"{found[0]}:{SERVED}/"))
    return digest
