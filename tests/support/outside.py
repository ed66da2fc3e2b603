"""A machine outside of the Swarm: a namespace of this one on a cable of its own."""

import functools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import namespace
from tests.support.site import NUMBER, run, wait_for

NAME = f"nhoutside{NUMBER}"
HERE, ADDRESS = f"198.18.{100 + NUMBER}.1", f"198.18.{100 + NUMBER}.2"  # a range for tests
FORWARDED = (
    ["FORWARD", "--in-interface", NAME, "--jump", "ACCEPT"],
    ["FORWARD", "--out-interface", NAME, "--jump", "ACCEPT"],
)


@dataclass(frozen=True)
class Outside:
    """The machine, on which a web server answers at some ports."""

    address: str

    def fetches(self, url: str) -> bool:
        """Whether something answers there to a request from this machine."""
        done = run(*ENTER, "curl", "-sS", "--max-time", "2", "--output", "/dev/null", url,
                   check=False)  # fmt: skip
        return done.returncode == 0


ENTER = ("ip", "netns", "exec", NAME)


@contextmanager
def outside(*ports: int, directory: Path = Path()) -> Iterator[Outside]:
    """The machine, switched on, and gone afterwards; with web servers on these ports.

    They give the files of a directory.
    """
    _remove()
    servers = []
    try:
        namespace.create(NAME, ADDRESS, HERE)
        run(*f"ip address add {HERE}/24 dev {NAME}".split())
        for rule in FORWARDED:
            run("iptables", "--wait", "--insert", *rule)
        servers = [
            subprocess.Popen(
                [*ENTER, sys.executable, "-m", "http.server", str(port)],
                cwd=directory,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for port in ports
        ]
        machine = Outside(ADDRESS)
        for url in [f"http://localhost:{port}" for port in ports]:
            wait_for(f"{url} there", functools.partial(machine.fetches, url))
        yield machine
    finally:
        for server in servers:
            server.kill()
            server.wait()
        _remove()


def _remove() -> None:
    for rule in FORWARDED:
        while run("iptables", "--wait", "--delete", *rule, check=False).returncode == 0:
            pass
    namespace.remove(NAME)
