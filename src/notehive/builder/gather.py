"""Runs in a container of a notebook image that has no network: fetches what a project needs.

It is given to that image's Python as text, so it knows nothing but the standard library. It reads
what is wanted from its input, fetches through the door, builds wheels of what comes as source, and
leaves all in OUT. Code of packages may run here: as a user without rights.
"""

import importlib.metadata
import json
import os
import re
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

DOOR = "/run/notehive-door/socket"
OUT = Path("/tmp/out")
PIP = [sys.executable, "-I", "-m", "pip", "--isolated", "--no-input", "--no-color",
       "--disable-pip-version-check"]  # fmt: skip
APT = [
    "apt-get",
    *("-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=", "-o", "Dir::Log=/tmp/apt"),
    *("-o", "Dir::Etc::SourceList=/dev/null", "-o", "Dir::Etc::SourceParts=/tmp/apt/sources"),
    *("-o", "Dir::State::Lists=/tmp/apt/lists", "-o", "Dir::Cache=/tmp/apt"),
    *("-o", "Acquire::Languages=none", "--quiet", "--yes"),
]


class Relay(socketserver.BaseRequestHandler):
    """Brings a connection of the loopback to the door."""

    def handle(self) -> None:
        """Carry what comes, both ways, until one side ends."""
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(DOOR)
            threading.Thread(target=carry, args=(self.request, door), daemon=True).start()
            carry(door, self.request)


def carry(one: socket.socket, other: socket.socket) -> None:
    """Carry what one connection says to another."""
    with suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


def wheels(wanted: dict[str, Any], here: str) -> None:
    """Fetch wheels of what the image lacks; what it has is not to be changed by the way.

    A package that the project itself names may be another version than the image's.
    """
    listed, installed = Path("/tmp/requirements.txt"), Path("/tmp/installed.txt")
    listed.write_text("".join(f"{line}\n" for line in wanted["requirements"]))
    found = {
        re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower(): each.version
        for each in importlib.metadata.distributions()
    }
    installed.write_text(
        "".join(f"{k}=={v}\n" for k, v in sorted(found.items()) if k not in wanted["names"])
    )
    index = ["--index-url", f"{here}{wanted['index']}"]
    report = Path("/tmp/report.json")
    run([*PIP, "install", "--dry-run", "--break-system-packages", "--progress-bar=off", *index,
         "--report", report, "--constraint", installed, "--requirement", listed])  # fmt: skip
    chosen = json.loads(report.read_text())["install"]
    if not chosen:
        return
    # Just the files that were looked at, if the index says what they hold.
    hashes = [each["download_info"].get("archive_info", {}).get("hashes", {}) for each in chosen]
    with listed.open("w") as file:
        for each, known in zip(chosen, hashes, strict=True):
            line = f"{each['metadata']['name']}=={each['metadata']['version']}"
            bound = f" --hash=sha256:{known['sha256']}" if all(hashes) else ""
            file.write(f"{line}{bound}\n")
    run([*PIP, "wheel", "--no-deps", "--progress-bar=off", *index,
         "--wheel-dir", OUT, "--requirement", listed])  # fmt: skip


def packages(names: list[str], here: str) -> None:
    """Fetch Debian packages, with all that they need and the image lacks."""
    sources = Path("/tmp/apt/sources")
    for directory in (sources, Path("/tmp/apt/lists/partial"), Path("/tmp/apt/archives/partial")):
        directory.mkdir(parents=True)
    own = Path("/etc/apt")
    for file in [own / "sources.list", *(own / "sources.list.d").glob("*")]:
        if file.is_file():
            text = re.sub(r"\b(https?)://", rf"{here}/\1/", file.read_text())
            (sources / file.name).write_text(text)
    run([*APT, "update"])
    run([*APT, "install", "--download-only", "--no-install-recommends", *names])
    for file in Path("/tmp/apt/archives").glob("*.deb"):
        shutil.move(file, OUT / file.name)


def run(args: list[Any]) -> None:
    """Run a command; end as it does if it fails."""
    env = os.environ | {"PIP_CONFIG_FILE": os.devnull}  # the image's own names another index
    code = subprocess.run([str(each) for each in args], env=env).returncode
    if code:
        sys.exit(code)


def main() -> None:
    """Fetch what the input says."""
    wanted = json.load(sys.stdin)
    OUT.mkdir()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as relay:
        relay.daemon_threads = True
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{relay.server_address[1]}"
        if wanted["requirements"]:
            wheels(wanted, here)
        if wanted["packages"]:
            packages(wanted["packages"], here)
        relay.shutdown()


if __name__ == "__main__":
    main()
