"""Runs notebook images as plain containers."""

import json
import subprocess
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

# An older client elsewhere on the PATH may not know the daemon's API.
DOCKER = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker"
LABEL = "notehive.test=images"


def docker(*arguments: str, stdin: bytes | None = None) -> str:
    """Run a docker command and give its output, or fail with what it said."""
    done = subprocess.run([DOCKER, *arguments], input=stdin, capture_output=True, timeout=300)
    output, errors = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{output}{errors}"
    return output


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Poll until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


@dataclass
class Container:
    """A container under test."""

    id: str

    def start(self) -> None:
        docker("start", self.id)

    def sh(self, script: str) -> str:
        """Run a shell script in the container as its user."""
        return docker("exec", self.id, "sh", "-c", script).strip()

    def python(self, script: str) -> str:
        return docker("exec", self.id, "python3", "-c", script).strip()

    def write(self, path: str, content: bytes) -> None:
        """Write a file that is root's and that everybody can read, as Swarm writes secrets."""
        archive = BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(content), 0o444
            tar.addfile(entry, BytesIO(content))
        docker("cp", "-", f"{self.id}:/", stdin=archive.getvalue())

    def logs(self) -> str:
        done = subprocess.run(
            [DOCKER, "logs", self.id], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True
        )
        return done.stdout.decode(errors="replace")

    def inspect(self) -> str:
        return docker("inspect", self.id)

    def running(self) -> bool:
        return bool(json.loads(self.inspect())[0]["State"]["Running"])

    def get(self, path: str, *curl: str) -> tuple[int, str]:
        """Ask the server in the container: status (0 while nothing listens) and body."""
        assert self.running(), f"the container has stopped:\n{self.logs()}"
        arguments = ("--silent", "--write-out", r"\n%{http_code}", *curl)
        done = subprocess.run(
            [DOCKER, "exec", self.id, "curl", *arguments, f"http://127.0.0.1:8888{path}"],
            capture_output=True,
        )
        body, _, status = done.stdout.decode().rpartition("\n")
        return int(status), body

    def wait_for_lab(self, path: str = "/lab?token=test") -> None:
        until(lambda: self.get(path)[0] == 200, f"JupyterLab answers at {path}")


class Containers:
    """The containers and volumes of one test."""

    def __init__(self) -> None:
        self.containers: list[Container] = []
        self.volumes: list[str] = []

    def create(self, image: str, *command: str, options: tuple[str, ...] = ()) -> Container:
        made = docker("create", "--init", "--label", LABEL, *options, image, *command)
        container = Container(made.strip())
        self.containers.append(container)
        return container

    def run(self, image: str, *command: str, options: tuple[str, ...] = ()) -> Container:
        container = self.create(image, *command, options=options)
        container.start()
        return container

    def idle(self, image: str, *options: str) -> Container:
        """A container that only waits for commands."""
        return self.run(image, "sleep", "infinity", options=options)

    def lab(self, image: str, *options: str) -> Container:
        """A JupyterLab without a hub, once it answers. Its token is `test`."""
        container = self.run(
            image, "start-notebook", "--IdentityProvider.token=test", options=options
        )
        container.wait_for_lab()
        return container

    def volume(self) -> str:
        self.volumes.append(docker("volume", "create", "--label", LABEL).strip())
        return self.volumes[-1]

    def remove(self) -> None:
        for container in reversed(self.containers):
            # Shown by pytest when the test has failed.
            print(f"--- log of {container.id[:12]}\n{container.logs()}")
            docker("rm", "--force", "--volumes", container.id)
        for volume in self.volumes:
            docker("volume", "rm", volume)
