"""The machine: what it has, and a Docker engine on it."""

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from notehive import docker, shell
from notehive.errors import BadInput, NotehiveError
from notehive.platform.patience import until_none

ENGINE_PACKAGES = ("docker.io", "iptables", "iproute2")
# Split from docker.io in newer releases; missing from older ones.
CLIENT_PACKAGES = ("docker-cli", "docker-buildx")
ENGINE_LOG = Path("/var/log/dockerd.log")


def is_root() -> bool:
    """Whether we are root."""
    return os.geteuid() == 0


def is_debian_like() -> bool:
    """Whether packages are installed by apt from a Debian or Ubuntu."""
    return Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def engine_version() -> str:
    """Give the version of the engine that answers, or nothing."""
    try:
        done = shell.run(
            docker.command("version", "--format", "{{.Server.Version}}"), check=False, timeout=20
        )
    except NotehiveError:  # no client
        return ""
    return done.out.strip() if done.code == 0 else ""


def address() -> str:
    """Give the address that this machine speaks from to others; nothing is sent to learn it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of no one, reserved for documentation
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@dataclass(frozen=True)
class Listener:
    """Who listens on a TCP port."""

    port: int
    process: str


def listeners(port: int) -> list[Listener]:
    """Give who listens on a TCP port of this machine, in any address."""
    found = []
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,):
            found.append(Listener(port, _process(connection.pid)))
    return found


def _process(pid: int | None) -> str:
    try:
        return f"{psutil.Process(pid).name()} (process {pid})" if pid else "another user's process"
    except psutil.Error:
        return f"process {pid}"


def install_hint() -> str:
    """Say what to install by hand where we cannot."""
    return (
        "install Docker Engine 20.10 or newer with its buildx plugin, start it, "
        "and make sure that `docker version` answers"
    )


def require_engine_possible() -> None:
    """Raise BadInput unless an engine answers or can be installed and started by us."""
    if engine_version():
        if not docker.can_build(docker.client()):
            raise BadInput(
                f"{docker.client()}: this Docker client cannot build with BuildKit; "
                "install its buildx plugin (on Debian: apt-get install docker-buildx)"
            )
        return
    if not is_root():
        raise BadInput(f"Docker: no engine answers this user; run as root, or {install_hint()}")
    if not is_debian_like():
        raise BadInput(
            f"Docker: no engine answers, and this is no Debian or Ubuntu: {install_hint()}"
        )


def ensure_engine() -> str:
    """Install the engine from the distribution and start it, if none answers; give its version."""
    if version := engine_version():
        return version
    if shutil.which("dockerd") is None or shutil.which("docker") is None:
        install(*ENGINE_PACKAGES, *available(*CLIENT_PACKAGES))
        docker.client.cache_clear()
    if not engine_version():  # installing may have started it
        start_engine()
    until_none(
        lambda: not engine_version(),
        60,
        lambda _: f"Docker: the engine does not start; see {ENGINE_LOG} or journalctl",
    )
    return engine_version()


def start_engine() -> None:
    """Start dockerd, by the init system where there is one."""
    if Path("/run/systemd/system").exists():
        shell.run(["systemctl", "enable", "--now", "docker"])
        return
    with ENGINE_LOG.open("ab") as log:
        subprocess.Popen(
            ["dockerd"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def install(*packages: str) -> None:
    """Install packages of the distribution."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    shell.run(["apt-get", "update", "-q"], env=quiet)
    shell.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages], env=quiet)


def available(*packages: str) -> list[str]:
    """Give those of the packages that the distribution has."""
    shell.run(["apt-get", "update", "-q"])
    found = shell.run(["apt-cache", "search", "--names-only", "^docker-"], check=False).out
    names = {line.split()[0] for line in found.splitlines() if line}
    return [package for package in packages if package in names]
