"""Docker's argument lists, and which of the machine's clients they are for.

The builders are pure: they take what is wanted and give the list to run.
"""

import functools
import json
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from notehive import shell
from notehive.errors import NotehiveError

CLIENTS = ("docker", "/usr/bin/docker")


@functools.cache
def client() -> str:
    """Give the path of the Docker client that can build with BuildKit, else of any.

    A newer client needs its buildx plugin for BuildKit, one before version 23 has it inside; a
    machine may have both kinds.
    """
    found = [path for name in CLIENTS if (path := shutil.which(name))]
    for path in dict.fromkeys(found):
        if can_build(path):
            return path
    return found[0] if found else "docker"


def can_build(path: str) -> bool:
    """Whether this client can build with BuildKit."""
    if shell.run([path, "buildx", "version"], check=False).code == 0:
        return True
    version = shell.run([path, "version", "--format", "{{.Client.Version}}"], check=False).out
    major = version.strip().split(".")[0]
    return major.isdigit() and 18 < int(major) < 23


def command(*args: str) -> list[str]:
    """Give ``docker ARGS``."""
    return [client(), *args]


def labels(values: Mapping[str, str]) -> list[str]:
    """Give ``--label key=value`` for each label."""
    return [part for key, value in values.items() for part in ("--label", f"{key}={value}")]


def build(tag: str, *, secrets: Mapping[str, str]) -> list[str]:
    """Give the command that builds an image from a context on its standard input.

    ``secrets``: id and file of each build secret.
    """
    return command(
        "build",
        "--progress=plain",
        "--tag",
        tag,
        *(part for key, file in secrets.items() for part in ("--secret", f"id={key},src={file}")),
        "-",
    )


def create_network(name: str, subnet: str, stack: str) -> list[str]:
    """Give the command that creates the overlay network of users' servers."""
    return command(
        *("network", "create", "--driver", "overlay", "--subnet", subnet),
        *labels({"notehive.stack": stack}),
        name,
    )


def create_pull(name: str, image: str, labels_: Mapping[str, str]) -> list[str]:
    """Give the command that creates a service which has each node pull an image, and ends there."""
    return command(
        *("service", "create", "--detach", "--quiet", "--no-resolve-image", "--name", name),
        # Not the mode `global-job`: its failed tasks pile up in the Swarm for ever.
        *("--mode", "global", "--restart-condition", "on-failure", "--restart-delay", "5s"),
        *("--network", "host", "--limit-memory", "32M", "--log-driver", "none"),
        *labels(labels_),
        *("--entrypoint", "true", image),
    )


def create(kind: str, name: str, stack: str) -> list[str]:
    """Give the command that creates a platform's secret or config from its standard input."""
    labels_ = {"notehive.stack": stack, "notehive.kind": "platform"}
    return command(kind, "create", *labels(labels_), name, "-")


def created(kind: str, stack: str) -> list[str]:
    """Give the names of the secrets or configs that `create` made."""
    labels_ = (f"label=notehive.stack={stack}", "label=notehive.kind=platform")
    return [row["Name"] for row in objects(kind, "ls", *(f"--filter={each}" for each in labels_))]


def deploy(file: str, stack: str) -> list[str]:
    """Give the command that brings the stack to what the file says, and removes what it lacks."""
    # Images are named by digests of their content; asking registries about them takes seconds.
    return command(
        "stack", "deploy", "--prune", "--resolve-image=never", "--compose-file", file, stack
    )


def logs(container: str, *, tail: int, follow: bool = False) -> list[str]:
    """Give the command that shows a container's log, with times."""
    follows = ["--follow"] if follow else []
    return command("logs", "--timestamps", f"--tail={tail}", *follows, container)


def output(*args: str) -> str:
    """Run ``docker ARGS`` and give its standard output without the newline at its end."""
    return shell.run(command(*args)).out.rstrip("\n")


def objects(*args: str) -> Iterator[dict[str, Any]]:
    """Run a listing and give its rows: ``objects("service", "ls")``."""
    for line in output(*args, "--format", "{{json .}}").splitlines():
        yield json.loads(line)


def containers(service: str, *filters: str, ended: bool = False) -> list[str]:
    """Give the containers of a Swarm service on this node, newest first.

    ``filters`` are more of what `docker ps` knows: ``health=healthy``.
    """
    every = ["--all"] if ended else []
    wanted = (f"label=com.docker.swarm.service.name={service}", *filters)
    return output("ps", *every, "--quiet", *(f"--filter={each}" for each in wanted)).split()


def inspect(kind: str, *names: str) -> list[dict[str, Any]]:
    """Inspect those of the named objects that exist, in the order of the names."""
    if not names:
        return []
    done = shell.run(command(kind, "inspect", *names), check=False)
    missing = ("no such", "not found", "nonexistent")
    for line in done.err.splitlines():
        if line.strip() and not any(word in line.lower() for word in missing):
            raise NotehiveError(f"docker {kind} inspect: {line.strip()}")
    found: list[dict[str, Any]] = json.loads(done.out or "[]")
    return found
