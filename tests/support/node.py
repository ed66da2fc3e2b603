"""A machine of the test cluster: namespaces of this one, with a Docker engine of their own.

Not a container: engines in containers keep their images in a slower way, and hide the node's
cgroups. What is not in a namespace (the kernel, the disk, the cgroups' tree) is kept apart by
directories.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support import namespace
from tests.support.site import docker, run, wait_for

CGROUPS = Path("/sys/fs/cgroup")
# The first process of the machine; with it ends all that runs there. Its /run is its own, and with
# it the sockets of its engine; this machine's configuration of an engine is not for it.
INIT = """
set -eu
hostname "$NAME"
mount --make-rprivate /
mount --bind "$HERE/run" /run
mkdir -p /etc/docker
mount -t tmpfs tmpfs /etc/docker
dockerd --data-root="$HERE/data" --exec-opt=native.cgroupdriver=cgroupfs --cgroup-parent="$CGROUP" \
  "$@" >> "$HERE/log" 2>&1 < /dev/null &
wait
"""


@dataclass(frozen=True)
class Node:
    """A machine, plugged into a bridge of this one."""

    name: str
    address: str
    gateway: str
    bridge: str
    directory: Path
    resources: tuple[str, ...] = ()  # generic ones that it advertises, like ``gpu=GPU-45cbf7b3``

    @property
    def namespace(self) -> str:
        """Name of its network namespace, and of its cable's end in the bridge."""
        return f"{self.bridge}-{self.name.rpartition('-')[2]}"

    @property
    def host(self) -> str:
        """The engine's address for Docker clients."""
        return f"unix://{self.directory}/run/docker.sock"

    @property
    def enter(self) -> list[str]:
        """What goes before a command to run it on this machine's network."""
        # (Not `ip netns exec`, which mounts a /sys of its own and hides the cgroups.)
        return ["nsenter", f"--net=/run/netns/{self.namespace}"]

    def create(self) -> None:
        """Make the machine's network and plug it in."""
        self.directory.mkdir(parents=True)
        namespace.create(self.namespace, self.address, self.gateway)
        run("ip", "link", "set", self.namespace, "master", self.bridge)

    def start(self) -> None:
        """Switch it on, and wait until its engine answers."""
        shutil.rmtree(self.directory / "run", ignore_errors=True)  # it does not outlive its machine
        (self.directory / "run").mkdir()
        subprocess.Popen(
            [
                *self.enter,
                *("unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"),
                *("sh", "-c", INIT, "init"),
                *(f"--node-generic-resource={each}" for each in self.resources),
            ],
            env={
                **os.environ,
                "NAME": self.name,
                "HERE": str(self.directory),
                "CGROUP": f"/{self.namespace}",
            },
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # stays when the tests are interrupted, and with KEEP
        )
        wait_for(f"the engine of {self.name}", self.is_on)

    def is_on(self) -> bool:
        """Whether its engine answers."""
        return bool(self.docker("version", "--format", "{{.Server.Version}}", check=False))

    def unplug(self) -> None:
        """Cut its network cable."""
        run("ip", "link", "set", self.namespace, "down")

    def plug(self) -> None:
        """Mend its network cable."""
        run("ip", "link", "set", self.namespace, "up")

    def kill(self) -> None:
        """Switch it off as a power cut does: engine and containers end at once."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(f"the end of {self.name}", lambda: not self.processes())

    def processes(self) -> list[int]:
        """Give what runs on its network: its first process, with which all others end, too."""
        found = run("ip", "netns", "pids", self.namespace, check=False).stdout.split()
        return [int(pid) for pid in found if is_alive(Path("/proc", pid, "stat"))]

    def remove(self) -> None:
        """Take it away with all that it has, or what an interrupted run has left of it."""
        self.kill()
        namespace.remove(self.namespace)
        shutil.rmtree(self.directory, ignore_errors=True)
        for controller in CGROUPS.iterdir():
            run("find", str(controller / self.namespace), "-depth", "-type", "d", "-delete",
                check=False)  # fmt: skip

    def docker(self, *args: str, stdin: str = "", check: bool = True) -> str:
        """Run a Docker client on its engine; give its output."""
        return docker("--host", self.host, *args, stdin=stdin, check=check)


def is_alive(stat: Path) -> bool:
    """Whether a process of /proc has not ended; our own children stay there as zombies."""
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
