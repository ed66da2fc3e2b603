"""Many users with servers, which stand-ins are: for what depends on their number alone."""

import hashlib
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from tests.support.cluster import Cluster, copy_images
from tests.support.hub import User, quoted, user
from tests.support.site import ROOT, Site, docker, fetch, wait_for

FILES = Path(__file__).parent / "stand_in"
WALLED = ROOT / "notebooks-images/base/walled"
OPTIONS = {"image": "stand-in", "size": "tiny"}
AT_ONCE = 8  # starts; the machines of a cluster of tests share two cores


def add_stand_in(cluster: Cluster) -> None:
    """Build the stand-in's image, offer it to users, and have it on every node."""
    registry = f"127.0.0.1:{cluster.settings['network']['registry_port']}"
    (parent,) = cluster.build("python")
    files = [*sorted(FILES.iterdir()), WALLED]
    content = b"".join(path.read_bytes() for path in files)
    digest = hashlib.sha256(parent.encode() + content).hexdigest()[:16]
    reference = f"{registry}/tests/stand-in:{digest}"
    with tempfile.TemporaryDirectory() as context:
        for path in files:
            shutil.copy(path, context)
        docker("build", "--quiet", "--build-arg", f"PARENT={parent}", "--tag", reference, context)
    copy_images([reference], cluster.nodes[0])
    cluster.settings["images"]["stand-in"] = {"image": reference}
    cluster.settings["sizes"]["tiny"] = {
        "limit": {"cpu": 0.2, "memory": "128M"},
        "guarantee": {"cpu": 0.001, "memory": "16M"},
    }
    cluster.up()
    wait_for("the stand-in on every node", cluster.is_complete, 120)


@dataclass
class Crowd:
    """Users whom an administrator makes, starts and stops."""

    boss: User
    names: list[str]

    def make(self) -> None:
        """Make the users."""
        self.boss.ask("POST", "/users", {"usernames": self.names})

    def come(self) -> None:
        """Start every server, some at a time, and wait until all are ready."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._start, self.names))

    def go(self) -> None:
        """Stop every server, and wait until all are gone."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._stop, self.names))

    def remove(self) -> None:
        """Remove the users, with servers that a failed test has left."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._remove, self.names))

    def _start(self, name: str) -> None:
        answer = self.boss.call("POST", f"/users/{quoted(name)}/server", OPTIONS)
        assert answer.status in (201, 202), f"{name}: {answer}"
        wait_for(f"{name}'s server", lambda: self._is_ready(name), 180)

    def _is_ready(self, name: str) -> bool:
        server = self.boss.ask("GET", f"/users/{quoted(name)}")["servers"].get("")
        assert server, f"{name}: the server did not start"
        return bool(server["ready"])

    def _stop(self, name: str) -> None:
        answer = self.boss.call("DELETE", f"/users/{quoted(name)}/server")
        assert answer.status in (202, 204), f"{name}: {answer}"
        path = f"/users/{quoted(name)}"
        wait_for(f"the end of {name}", lambda: not self.boss.ask("GET", path)["servers"], 120)

    def _remove(self, name: str) -> None:
        self.boss.call("DELETE", f"/users/{quoted(name)}")


@contextmanager
def crowd(site: Site, number: int) -> Iterator[Crowd]:
    """Users without servers yet, gone afterwards."""
    with user(site, "boss", "--admin") as boss:
        many = Crowd(boss, [f"crowd-{n:03}" for n in range(number)])
        many.remove()  # of a run that was ended
        many.make()
        try:
            yield many
        finally:
            many.remove()


@dataclass
class Health:
    """Asks for a page all the time, from a process of its own: nothing else delays it."""

    site: Site
    path: str = "/hub/health"
    statuses: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __enter__(self) -> "Health":
        self._end = multiprocessing.Event()
        self._found, found = multiprocessing.Pipe(duplex=False)
        self._process = multiprocessing.Process(target=self._ask, args=(found,))
        self._process.start()
        found.close()  # so that the end of the process is the end of what it tells
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self.statuses, self.seconds = self._found.recv()
        self._process.join()

    def _ask(self, found: Connection) -> None:
        while not self._end.wait(0.1):
            began = time.perf_counter()
            self.statuses.append(fetch(self.site, self.path).status)
            self.seconds.append(time.perf_counter() - began)
        found.send((self.statuses, self.seconds))
