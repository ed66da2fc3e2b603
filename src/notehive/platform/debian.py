"""The one image from outside: Debian 13, pulled, or made from the machine's own apt sources."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from notehive import docker, shell
from notehive.errors import BadInput, NotehiveError
from notehive.platform import machine
from notehive.settings import Mirrors

SUITE = "trixie"
PULLED = f"debian:{SUITE}-slim"
IMAGE = f"notehive/debian:{SUITE}"
PULL_SECONDS = 180
# As in debian:*-slim: what only a person at a terminal would read.
LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info")


def image_id() -> str:
    """Give the id of the Debian image on this machine, or nothing."""
    found = docker.inspect("image", IMAGE)
    return str(found[0]["Id"]) if found else ""


def ensure(mirrors: Mirrors, log: Path, say: Callable[[str], None], *, renew: bool = False) -> str:
    """Pull the base image, or make it; say how. With ``renew`` even if it is there."""
    if image_id() and not renew:
        return ""
    source = f"{mirrors.docker.rstrip('/')}/{PULLED}" if mirrors.docker else PULLED
    say(f"pulling {source}")
    pulled = shell.run(docker.command("pull", "--quiet", source), check=False, timeout=PULL_SECONDS)
    if pulled.code == 0:
        shell.run(docker.command("tag", source, IMAGE))
        return f"pulled {source}"
    why = (pulled.err.strip() or "no reason given").splitlines()[-1]
    if not (machine.is_root() and machine.is_debian_like()):
        raise BadInput(
            f"{source}: cannot be pulled ({why}); set mirrors.docker to a registry that has it"
        )
    bootstrap(mirrors, log, say)
    return f"{source} cannot be pulled; made with debootstrap"


def bootstrap(mirrors: Mirrors, log: Path, say: Callable[[str], None]) -> None:
    """Make the base image with debootstrap from ``mirrors.apt`` or the machine's own sources."""
    if shutil.which("debootstrap") is None:
        say("installing debootstrap")
        machine.install("debootstrap", "debian-archive-keyring")
    mirror, security = sources(mirrors)
    # Not in /tmp, which may be mounted nodev or kept in memory.
    with tempfile.TemporaryDirectory(prefix="notehive-debian-", dir="/var/tmp") as directory:
        root = Path(directory) / "root"
        code = shell.stream(
            [
                "debootstrap",
                "--variant=minbase",
                "--include=ca-certificates",
                SUITE,
                str(root),
                mirror,
            ],
            log=log,
            on_line=say,
        )
        if code:
            raise BadInput(
                f"debootstrap: exit code {code}: {log.read_text().strip().splitlines()[-1]}; "
                f"full log: {log}; is mirrors.apt a Debian mirror that this machine reaches?"
            )
        say("importing")
        for path in (*LEFT_OUT, "var/lib/apt/lists", "var/cache/apt/archives"):
            for entry in (root / path).glob("*"):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(
            "".join(f"path-exclude /{path}/*\n" for path in LEFT_OUT)
        )
        (root / "etc/apt/sources.list").write_text(
            f"deb {mirror} {SUITE} main\n"
            f"deb {mirror} {SUITE}-updates main\n"
            f"deb {security} {SUITE}-security main\n"
        )
        archive = Path(directory) / "root.tar"
        shell.run(["tar", "--create", "--file", str(archive), "--directory", str(root), "."])
        shell.run(docker.command("import", str(archive), IMAGE))


def sources(mirrors: Mirrors) -> tuple[str, str]:
    """Give the Debian mirror and the security mirror, without a slash at the end."""
    if mirrors.apt:
        return mirrors.apt.rstrip("/"), security_mirror(mirrors)
    listed = shell.run(
        ["apt-get", "indextargets", "--format", "$(LABEL)|$(REPO_URI)", "Created-By: Packages"],
        check=False,
    ).out
    found = dict(reversed([line.split("|", 1) for line in listed.splitlines() if "|" in line]))
    mirror = found.get("Debian", "").rstrip("/")
    if not mirror:
        raise BadInput(
            f"{PULLED}: cannot be pulled, and this machine has no Debian mirror to make it from; "
            "set mirrors.docker or mirrors.apt"
        )
    return mirror, found.get("Debian-Security", f"{mirror}-security").rstrip("/")


def security_mirror(mirrors: Mirrors) -> str:
    """Give the security mirror that goes with ``mirrors.apt``."""
    return mirrors.apt_security.rstrip("/") or f"{mirrors.apt.rstrip('/')}-security"


def apt_sources(mirrors: Mirrors) -> str:
    """Give the apt sources that images are to use; nothing to keep those of the base image."""
    if not mirrors.apt:
        return ""
    keyring = "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg"
    stanza = "Types: deb\nURIs: {}\nSuites: {}\nComponents: main\n" + keyring + "\n"
    return "\n".join(
        (
            stanza.format(mirrors.apt.rstrip("/"), f"{SUITE} {SUITE}-updates"),
            stanza.format(security_mirror(mirrors), f"{SUITE}-security"),
        )
    )


def require_image() -> str:
    """Give the id of the Debian image; for callers that come after `ensure`."""
    found = image_id()
    if not found:
        raise NotehiveError(f"{IMAGE}: vanished while it was needed; run `./notehive up` again")
    return found
