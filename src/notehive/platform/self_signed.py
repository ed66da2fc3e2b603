"""The self-signed certificate: `up` makes it, for root alone, in the workspace of its stack."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from notehive import docker
from notehive.platform.greeting import DistrustError, Greeting
from notehive.platform.place import Workspace

CERTIFICATE, AUTHORITY = "certificate.pem", "authority.crt"  # with its key; who signed it
MAKE = "/opt/notehive/nginx/self-signed"
BEGIN = "-----BEGIN CERTIFICATE-----"
LEFT = timedelta(days=28)  # with less, another is made


def file(stack: str) -> Path:
    """Give the file of the certificate, with its key and its authority."""
    return Workspace.of(stack).directory / CERTIFICATE


def authority(stack: str) -> bytes:
    """Give the certificate of its authority, as PEM; nothing before it is made."""
    return Workspace.of(stack).read(AUTHORITY).encode()


def ensure(stack: str, hosts: Sequence[str], image: str) -> bool:
    """Make one for these hosts with Nginx's image, unless there is a good one; say whether it was.

    The first is the site's, which it is made for; the others are below it.
    """
    there, known = file(stack), authority(stack)
    if there.exists() and known:
        try:
            ends = [Greeting(host, known).with_files(there, there) for host in hosts]
        except DistrustError:  # of another name, or ended
            pass
        else:
            if min(ends) - datetime.now(UTC) > LEFT:
                return False
    made = docker.output("run", "--rm", "--network=none", image, MAKE, hosts[0]) + "\n"
    workspace = Workspace.of(stack)
    workspace.write(AUTHORITY, BEGIN + made.rpartition(BEGIN)[2])  # the last of them
    workspace.write(CERTIFICATE, made)
    return True


def forget(stack: str) -> None:
    """Remove it."""
    for name in (CERTIFICATE, AUTHORITY):
        (Workspace.of(stack).directory / name).unlink(missing_ok=True)
