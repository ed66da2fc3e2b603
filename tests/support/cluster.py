"""Three machines with engines of their own, joined into one Swarm: what a small team has.

They are namespaces of this machine (see node.py) on one bridge, and neither know nor touch its
own engine. Node 1 has the clone and keeps the data; the others get what they need only in the
ways that an operator's nodes do.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from notehive import settings
from notehive.platform import debian, images, up
from notehive.platform.storage import OWNER
from tests.support.node import Node
from tests.support.site import KEEP, NUMBER, ROOT, SETTINGS, Site, docker, run, wait_for

BRIDGE = f"nhcluster{NUMBER}"
NETWORK = f"198.18.{NUMBER}"  # a range for tests of networks, used by nobody
DIRECTORY = Path(f"/var/tmp/notehive-cluster{NUMBER}")
STORAGE = DIRECTORY / "storage"  # all machines have it, as they have a cluster file system
# GPUs that are made up, by the number of the node that says it has them: by name, and by number.
GPUS = {2: ("NVIDIA-GPU=made-up-0", "NVIDIA-GPU=made-up-1"), 3: ("gpu=2",)}
FORWARDED = (
    ["FORWARD", "--in-interface", BRIDGE, "--jump", "ACCEPT"],
    ["FORWARD", "--out-interface", BRIDGE, "--jump", "ACCEPT"],
    [
        *("POSTROUTING", "--table", "nat", "--source", f"{NETWORK}.0/24"),
        *("!", "--out-interface", BRIDGE, "--jump", "MASQUERADE"),
    ],
)


@dataclass
class Cluster:
    """The machines, and the workbench on them."""

    nodes: list[Node]
    settings: dict[str, Any]

    @cached_property
    def site(self) -> Site:
        """The workbench, as node 1 sees it."""
        first = self.nodes[0]
        return Site(DIRECTORY, self.settings, first.address, first.host, tuple(first.enter))

    def notehive(
        self, *args: str, stdin: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run the operator's command on node 1."""
        return self.site.notehive(*args, stdin=stdin, check=check)

    def docker(self, node: int, *args: str, check: bool = True) -> str:
        """Run the Docker client on a node's engine (1 to 3); give its output."""
        return self.nodes[node - 1].docker(*args, check=check)

    def create(self) -> None:
        """Make the bridge and the machines, and switch them on."""
        run(*f"ip link add {BRIDGE} type bridge".split())
        run(*f"ip address add {NETWORK}.1/24 dev {BRIDGE}".split())
        run(*f"ip link set {BRIDGE} up".split())
        for rule in FORWARDED:
            run("iptables", "--wait", "--insert", *rule)
        for node in self.nodes:
            node.create()
            node.start()
        STORAGE.mkdir()
        os.chown(STORAGE, *OWNER)

    def remove(self) -> None:
        """Take everything away, or what an interrupted run has left."""
        for node in self.nodes:
            node.remove()
        for rule in FORWARDED:
            while run("iptables", "--wait", "--delete", *rule, check=False).returncode == 0:
                pass
        run("ip", "link", "delete", BRIDGE, check=False)
        shutil.rmtree(DIRECTORY, ignore_errors=True)

    def build(self, *names: str, clone: Sequence[str] = ()) -> list[str]:
        """Build images on this machine's engine; give their references."""
        here = replace(self.site, engine="", enter=tuple(clone))
        return here.notehive("image", *names).stdout.split()

    def up(self, *clone: str) -> None:
        """Bring the workbench up; ``clone`` is what goes before a command to see another clone.

        The images are built on this machine's engine, with its cache, and copied to node 1.
        """
        chosen = settings.load(self.site.file)
        names = images.with_parents(images.tree(ROOT), up.wanted_images(chosen))
        references = self.build(*names, clone=clone)
        copy_images([*references, debian.IMAGE], self.nodes[0])
        replace(self.site, enter=(*self.site.enter, *clone)).up()

    def join(self, *numbers: int) -> None:
        """Type on nodes what `node join-command` prints."""
        command = self.notehive("node", "join-command", "--quiet").stdout
        for joining in [self.nodes[number - 1] for number in numbers]:
            run(*joining.enter, "sh", "-c", command, env={"DOCKER_HOST": joining.host})

    def restore(self) -> None:
        """Have every machine on, plugged in, in the Swarm, and with what users' servers need."""
        if set(self.members().values()) == {"Ready"} and len(self.members()) == len(self.nodes):
            return
        for node in self.nodes:
            node.plug()
            if not node.is_on():
                node.kill()
                node.start()
        there = self.members()
        if absent := [number for number in (2, 3) if self.nodes[number - 1].name not in there]:
            self.join(*absent)
        wait_for("every node", lambda: set(self.members().values()) == {"Ready"})
        if not all(node["known"] for node in self.status().values()):
            self.site.up()  # as `node join-command` says
        wait_for("the images on every node", self.is_complete, 180)

    def members(self) -> dict[str, str]:
        """State of each node of the Swarm by its name."""
        rows = self.docker(1, "node", "ls", "--format", "{{.Hostname}} {{.Status}}")
        return dict(row.split() for row in rows.splitlines())

    @contextmanager
    def only(self, number: int) -> Iterator[None]:
        """New tasks go to one node alone."""
        others = [node.name for node in self.nodes if node is not self.nodes[number - 1]]
        for name in others:
            self.docker(1, "node", "update", "--availability", "pause", name)
        try:
            yield
        finally:
            for name in others:
                self.docker(1, "node", "update", "--availability", "active", name)

    def containers(self, number: int, service: str) -> list[str]:
        """Ids of the running containers of a service on a node."""
        label = f"label=com.docker.swarm.service.name={service}"
        return self.docker(number, "ps", "--quiet", "--filter", label).split()

    def exec(self, number: int, service: str, *command: str) -> str:
        """Run a command in a service's container on a node."""
        (found,) = self.containers(number, service)
        return self.docker(number, "exec", found, *command)

    def status(self) -> dict[str, dict[str, Any]]:
        """What `status --json` says of each node, by its name."""
        said = json.loads(self.notehive("status", "--json").stdout)
        return {node["name"]: node for node in said["nodes"]}

    def hub_memory(self) -> int:
        """Memory (bytes) of the hub, less its inactive file cache."""
        said = json.loads(self.notehive("status", "--json").stdout)
        (used,) = [each["memory"] for each in said["services"] if each["name"] == "hub"]
        return int(used)

    def is_complete(self) -> bool:
        """Whether every node that runs has what users' servers need."""
        return all(
            node["forwarder"] == node["wall"] == "running"
            and set(node["images"].values()) == {"present"}
            for node in self.status().values()
            if node["state"] == "ready" and node["availability"] == "active"
        )

    def dump(self) -> str:
        """Give what helps to understand a failure: nodes, tasks, the ends of logs."""
        if not self.nodes[0].is_on():
            return "node-1 is off"
        parts = [self.docker(1, "node", "ls"), self.site.dump()]
        for node in self.nodes:
            parts.append(f"== {node.name}\n{node.docker('ps', '--all', check=False)}")
            log = node.directory / "log"
            parts.append("\n".join(log.read_text().splitlines()[-15:]) if log.exists() else "")
        return "\n".join(parts)


def copy_images(references: list[str], node: Node) -> None:
    """Copy images from this machine's engine into a node's."""
    there = node.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    if missing := set(references) - set(there):
        archive = DIRECTORY / "images.tar"
        docker("save", "--output", str(archive), *missing)
        node.docker("load", "--input", str(archive))
        archive.unlink()


def new(machines: int = 3) -> Cluster:
    """A cluster that is not made yet."""
    nodes = [
        Node(
            name=f"node-{n}",
            address=f"{NETWORK}.{10 + n}",
            gateway=f"{NETWORK}.1",
            bridge=BRIDGE,
            directory=DIRECTORY / f"node-{n}",
            resources=GPUS.get(n, ()),
        )
        for n in range(1, machines + 1)
    ]
    chosen = {
        "name": f"notehive-cluster{NUMBER or ''}",
        "url": f"http://{nodes[0].address}:8080",
        # Not the subnet of this machine's own site: its wall sees the processes of all machines
        # that are made of this one, and would take their servers for its own.
        "network": {**SETTINGS["network"], "users": f"10.{158 + NUMBER}.0.0/16"},
        "sizes": SETTINGS["sizes"],
        "images": {"base": {"title": "Base"}},
        "services": {"airflow": False, "git": False, "jenkins": "off", "mlflow": False},
        "storage": {"path": str(STORAGE)},
    }
    return Cluster(nodes, chosen)


@contextmanager
def brought_up() -> Iterator[Cluster]:
    """A cluster of three nodes with a workbench on the first, gone afterwards."""
    cluster = new()
    try:
        if not (KEEP and cluster.nodes[0].is_on()):
            cluster.remove()
            cluster.create()
        cluster.up()
        yield cluster
    finally:
        if not KEEP:
            cluster.remove()
