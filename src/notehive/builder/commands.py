"""The builder's command lines of Docker. Pure: they give the list to run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from notehive import docker

CHECK = """\
mkdir /tmp/project && cd /tmp/project && tar --extract && exec notehive model check
"""
WITHOUT_RIGHTS = (
    *("--interactive", "--init", "--network=none"),
    *("--user=1000:100", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
    *("--cpus=2", "--memory=2g", "--memory-swap=2g", "--pids-limit=500"),
    # What comes out is taken as files; the log is the command's.
    *("--log-driver=none", "--workdir=/tmp", "--env=HOME=/tmp"),
)
DOOR = "/run/notehive-door"  # of a container that gathers: a directory with one socket


def build(
    tag: str, context: Path, dockerfile: Path, labels: Mapping[str, str], *, fresh: bool
) -> list[str]:
    """Give the command that builds an image; its steps have no network."""
    return docker.command(
        *("build", "--progress=plain", "--network=none", "--provenance=false"),
        *(["--no-cache"] if fresh else []),
        *("--file", str(dockerfile), "--tag", tag),
        *docker.labels(labels),
        str(context),
    )


def gather(
    name: str, image: str, door: str, labels: Mapping[str, str], program: str
) -> Sequence[str]:
    """Give the command that runs a Python program in an image, without rights and network.

    ``door`` is the volume with the door's socket. The program's input is the command's own.
    """
    return docker.command(
        *("run", "--name", name, *WITHOUT_RIGHTS),
        *("--mount", f"type=volume,source={door},target={DOOR},readonly"),
        *docker.labels(labels),
        *("--entrypoint=python3", image, "-I", "-c", program),
    )


def check(name: str, image: str, labels: Mapping[str, str]) -> Sequence[str]:
    """Give the command that checks a project in an image, without rights and network.

    Its input is a tar of the project's files.
    """
    return docker.command(
        *("run", "--name", name, *WITHOUT_RIGHTS, *docker.labels(labels)),
        *("--entrypoint=/bin/sh", image, "-c", CHECK),
    )
