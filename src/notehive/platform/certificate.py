"""The site's certificate: where it comes from, whether it is good, and who is given what of it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from notehive import docker, shell
from notehive.errors import BadInput, NotehiveError
from notehive.hub.config import HubFile
from notehive.platform import machine, site
from notehive.platform.greeting import DistrustError, Greeting
from notehive.platform.place import Workspace
from notehive.settings import Settings

SECRET, CONFIG = "certificate", "trusted"  # their names in stack.yml
TARGET = "/etc/ssl/certs/ca-certificates.crt"  # what every program in our images trusts
SOON = timedelta(days=14)
LAST = re.compile(rb"-----BEGIN CERTIFICATE-----(?:(?!-----BEGIN).)*$", re.S)
OPEN_TO_ALL = 0o004  # bit of a file's mode


@dataclass(frozen=True)
class Material:
    """What the Swarm has been given: a secret with key and chain, a config with authorities."""

    secret: str = ""  # its name; empty without TLS, and with acme
    trusted: HubFile | None = None


def host(settings: Settings) -> str:
    """Give the name or address under which people open the site."""
    return urlsplit(settings.url).hostname or machine.address()


def adapt(stack: dict[str, Any], settings: Settings) -> None:
    """Take from stack.yml what this kind of certificate does not need."""
    kind, services = settings.tls.kind, stack["services"]
    nginx = services["nginx"]
    if not settings.redirect_port:
        nginx["ports"].pop()
    if kind not in ("files", "self-signed"):
        del nginx["secrets"], stack["secrets"][SECRET]
    if kind != "acme":
        del services["certbot"], nginx["volumes"]
    elif not settings.tls.authority:
        del services["certbot"]["configs"]
    if kind != "acme" or not settings.tls.authority:
        del stack["configs"][CONFIG]


# Whether it is good


def check(settings: Settings) -> str:
    """Say what the certificate is, before anything is changed; raise BadInput if it is not good."""
    tls = settings.tls
    if tls.authority:
        _read("authority", tls.authority)
    if tls.kind == "off":
        return "none: a proxy of yours has it" if settings.is_proxied else "none; plain http"
    if tls.kind != "files":
        return f"from {tls.server}" if tls.kind == "acme" else "self-signed"
    _read("certificate", tls.certificate)
    _read("key", tls.key)
    if Path(tls.key).stat().st_mode & OPEN_TO_ALL:
        raise BadInput(f"tls.key: {tls.key}: everybody can read it; `chmod o= {tls.key}`")
    try:
        end = _greeting(settings).with_files(Path(tls.certificate), Path(tls.key))
    except DistrustError as error:
        raise BadInput(f"tls.certificate: {tls.certificate}: {explain(str(error))}") from None
    return f"good until {end:%Y-%m-%d}"


def explain(reason: str) -> str:
    """Give OpenSSL's reason with a remedy, where there is one beside another certificate."""
    if "issuer" in reason or "self-signed" in reason or "self signed" in reason:
        return (
            f"{reason}; add what signed it to the file, "
            "or name a private authority with tls.authority:"
        )
    return f"{reason}; renew it, or correct url: or the files"


def wrong(settings: Settings) -> list[str]:
    """Give what the operator must know of the certificate that is served, a sentence each."""
    if settings.tls.kind == "off":
        return []
    refused = _last_failure(settings) if settings.tls.kind == "acme" else ""
    said = [f"tls: the ACME server gives no certificate: {refused}"] if refused else []
    try:
        end = _greeting(settings).with_port(settings.port)
    except DistrustError as error:
        return said or [f"tls: browsers refuse the certificate: {explain(str(error))}"]
    except OSError:
        return said  # Nginx is away; status says that elsewhere
    left = end - datetime.now(UTC)
    if left < SOON:
        then = "renew the files, then" if settings.tls.kind == "files" else "run"
        said.append(f"tls: the certificate ends in {left.days} days; {then} `./notehive up`")
    return said


def _last_failure(settings: Settings) -> str:
    for container in docker.containers(f"{settings.name}_certbot"):
        failed = "/var/lib/notehive/certificates/failed"
        return shell.run(docker.command("exec", container, "cat", failed), check=False).out.strip()
    return ""


def _greeting(settings: Settings) -> Greeting:
    return Greeting(host(settings), trusted(settings))


# Where it comes from


def authority(settings: Settings) -> bytes:
    """Give the certificate of a private authority, as PEM; nothing where there is none."""
    if settings.tls.kind == "self-signed":
        made = self_signed(settings)
        match = LAST.search(made.read_bytes()) if made.exists() else None
        return match[0] if match else b""
    return _read("authority", settings.tls.authority) if settings.tls.authority else b""


def trusted(settings: Settings) -> bytes:
    """Give all certificates that users' servers trust, as PEM."""
    return site.ca_bundle(settings) + b"\n" + authority(settings)


def self_signed(settings: Settings) -> Path:
    """Give the file of the self-signed certificate, with its key."""
    return Workspace.of(settings.name).directory / "certificate.pem"


def ensure_self_signed(settings: Settings, image: str) -> bool:
    """Make a certificate with Nginx's image, unless there is a good one; say whether it was."""
    file = self_signed(settings)
    if file.exists():
        try:
            end = _greeting(settings).with_files(file, file)
            if end - datetime.now(UTC) > 2 * SOON:
                return False
        except DistrustError:
            pass  # of another name, or ended
    make = "/opt/notehive/nginx/self-signed"
    made = docker.output("run", "--rm", "--network=none", image, make, host(settings))
    Workspace.of(settings.name).write(file.name, made + "\n")
    return True


def _read(key: str, file: str) -> bytes:
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise BadInput(f"tls.{key}: {file}: {error.strerror}") from None
    if b"-----BEGIN " not in content:
        raise BadInput(f"tls.{key}: {file}: is not in PEM form")
    return content


# Who is given what


def give(settings: Settings) -> Material:
    """Give the Swarm what services need of the certificate."""
    tls, secret = settings.tls, b""
    if tls.kind == "files":
        secret = _read("key", tls.key) + b"\n" + _read("certificate", tls.certificate)
    if tls.kind == "self-signed":
        secret = self_signed(settings).read_bytes()
    name = _give(settings.name, "secret", SECRET, secret)["Spec"]["Name"] if secret else ""
    if not authority(settings):
        return Material(name)
    config = _give(settings.name, "config", CONFIG, trusted(settings))
    return Material(name, HubFile(id=config["ID"], name=config["Spec"]["Name"], target=TARGET))


def _give(stack: str, kind: str, key: str, content: bytes) -> Mapping[str, Any]:
    """Create a secret or config unless there is one of this content; give what describes it."""
    # Both cannot be changed: another content is another name.
    name = f"{stack}_{key}-{hashlib.sha256(content).hexdigest()[:12]}"
    if not docker.inspect(kind, name):
        shell.run(docker.create(kind, name, stack), stdin=content)
    return docker.inspect(kind, name)[0]


def remove_old(stack: str, keep: str) -> None:
    """Remove certificates that have been replaced."""
    for row in docker.objects("secret", "ls", "--filter", f"label=notehive.stack={stack}"):
        if row["Name"].startswith(f"{stack}_{SECRET}-") and row["Name"] != keep:
            shell.run(docker.command("secret", "rm", row["Name"]), check=False)


def obtain(settings: Settings) -> str:
    """Have certbot ask for the certificate, if it is time; say until when it is good."""
    found = docker.containers(f"{settings.name}_certbot")
    if not found:
        raise NotehiveError("certbot: its container is not on this node; see `./notehive status`")
    asked = shell.run(docker.command("exec", found[0], "/opt/notehive/certbot/obtain"), check=False)
    if asked.code:
        said = (asked.out.strip() or asked.err.strip() or "no answer").splitlines()[-1]
        raise NotehiveError(
            f"tls: the ACME server gives no certificate: {said}; "
            f"{host(settings)} must lead to port {settings.redirect_port} of this machine "
            "from where that server is"
        )
    return "from the ACME server"
