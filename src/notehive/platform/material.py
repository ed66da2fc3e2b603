"""What the Swarm is given of the site's certificate, and which services have it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from notehive import docker, shell
from notehive.hub.config import HubFile
from notehive.platform import certificate, secrets, self_signed
from notehive.settings import Settings

SECRET, CONFIG = "certificate", "trusted"  # their names in stack.yml
TARGET = "/etc/ssl/certs/ca-certificates.crt"  # what every program in our images trusts


@dataclass(frozen=True)
class Material:
    """A secret with key and chain, and a config with authorities."""

    secret: str = ""  # its name; empty without TLS, and with acme
    trusted: HubFile | None = None  # none where the images' own bundle is enough


def adapt(stack: dict[str, Any], settings: Settings) -> None:
    """Take from stack.yml what this kind of certificate does not need."""
    kind, services = settings.tls.kind, stack["services"]
    nginx = services["nginx"]
    if not settings.redirect_port:
        nginx["ports"].pop()
    if kind not in ("files", "self-signed"):
        secrets.leave_out(stack, SECRET)
    if kind != "acme":
        del services["certbot"], nginx["volumes"]
    elif not settings.tls.authority:
        del services["certbot"]["configs"]
    if kind != "acme" or not settings.tls.authority:
        del stack["configs"][CONFIG]


def give(settings: Settings) -> Material:
    """Give the Swarm what services need of the certificate."""
    tls, secret = settings.tls, b""
    if tls.kind == "files":
        parts = (certificate.read("key", tls.key), certificate.read("certificate", tls.certificate))
        secret = b"\n".join(parts)
    if tls.kind == "self-signed":
        secret = self_signed.file(settings.name).read_bytes()
    name = _ensure(settings.name, "secret", SECRET, secret)["Spec"]["Name"] if secret else ""
    if not certificate.authority(settings):
        return Material(name)
    config = _ensure(settings.name, "config", CONFIG, certificate.trusted(settings))
    return Material(name, HubFile(id=config["ID"], name=config["Spec"]["Name"], target=TARGET))


def _ensure(stack: str, kind: str, key: str, content: bytes) -> Mapping[str, Any]:
    """Create a secret or config unless there is one of this content; give what describes it."""
    # Neither can be changed: another content is another name.
    name = f"{stack}_{key}-{hashlib.sha256(content).hexdigest()[:12]}"
    if not docker.inspect(kind, name):
        shell.run(docker.create(kind, name, stack), stdin=content)
    return docker.inspect(kind, name)[0]


def remove_old(stack: str, keep: Material) -> None:
    """Remove the secrets of certificates that have been replaced."""
    for row in docker.objects("secret", "ls", "--filter", f"label=notehive.stack={stack}"):
        if row["Name"].startswith(f"{stack}_{SECRET}-") and row["Name"] != keep.secret:
            shell.run(docker.command("secret", "rm", row["Name"]), check=False)
