"""The site's certificate: who signed it, and whether clients will trust it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from notehive import docker, shell
from notehive.errors import BadInput
from notehive.platform import files, machine, self_signed, site
from notehive.platform.greeting import DistrustError, Greeting
from notehive.platform.patience import until_none
from notehive.settings import Settings

SOON = timedelta(days=14)  # a certificate that ends within this time is to be renewed
SOMEBODY = "somebody"  # a user's name, where all are meant
OPEN_TO_ALL = 0o004  # bit of a file's mode
FAILED = "/var/lib/notehive/certificates/failed"  # certbot's reason, in its container


def host(settings: Settings) -> str:
    """Give the name or address under which people open the site."""
    return urlsplit(settings.url).hostname or machine.address()


def hosts(settings: Settings) -> list[str]:
    """Give the names that the certificate is to be good for: the site's, and one of a user's."""
    return [host(settings), *([f"{SOMEBODY}.{host(settings)}"] if settings.subdomains else ())]


def authority(settings: Settings) -> bytes:
    """Give the certificate of a private authority, as PEM; nothing where there is none."""
    if settings.tls.kind == "self-signed":
        return self_signed.authority(settings.name)
    path = settings.tls.authority
    return files.read_pem("tls.authority", path, "certificate") if path else b""


def trusted(settings: Settings) -> bytes:
    """Give all certificates that users' servers trust, as PEM."""
    return site.ca_bundle(settings) + b"\n" + authority(settings)


def pair(settings: Settings) -> bytes:
    """Give the certificate, its chain and its key, as PEM; nothing where Nginx gets them itself."""
    tls = settings.tls
    if tls.kind == "self-signed":
        return self_signed.file(settings.name).read_bytes()
    if tls.kind != "files":
        return b""
    return b"\n".join(
        [
            files.read_pem("tls.key", tls.key, "private key"),
            files.read_pem("tls.certificate", tls.certificate, "certificate"),
        ]
    )


def check(settings: Settings) -> str:
    """Say what the certificate is, before anything is changed; raise BadInput if it is not good."""
    tls = settings.tls
    if tls.authority:
        authority(settings)
    if tls.kind == "off":
        return "none: a proxy of yours has it" if settings.is_proxied else "none: plain http"
    if tls.kind != "files":
        return f"from {tls.server}" if tls.kind == "acme" else "self-signed"
    pair(settings)
    if Path(tls.key).stat().st_mode & OPEN_TO_ALL:
        raise BadInput(f"tls.key: {tls.key}: everybody can read it; `chmod o= {tls.key}`")
    known = trusted(settings)
    try:
        ends = [
            Greeting(name, known).with_files(Path(tls.certificate), Path(tls.key))
            for name in hosts(settings)
        ]
    except DistrustError as error:
        reason = str(error).replace(f"{SOMEBODY}.", "*.")
        raise BadInput(f"tls.certificate: {tls.certificate}: {explain(reason)}") from None
    return f"good until {ends[0]:%Y-%m-%d}"


def explain(reason: str) -> str:
    """Give OpenSSL's reason with its remedy."""
    if any(words in reason for words in ("issuer", "self-signed", "self signed")):
        return (
            f"{reason}; add what signed it to the file, "
            "or name a private authority with tls.authority:"
        )
    return f"{reason}; renew it, or correct url: or the files"


def wrong(settings: Settings) -> list[str]:
    """Give what the operator must know of the certificate that is served, a sentence each."""
    if settings.tls.kind == "off":
        return []
    refused = _refusal(settings) if settings.tls.kind == "acme" else ""
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


def await_served(settings: Settings, seconds: float = 30) -> None:
    """Wait until what is served is what clients trust: Nginx looks for a renewed one by itself."""

    def trouble() -> str:
        try:
            _greeting(settings).with_port(settings.port)
        except (DistrustError, OSError) as error:
            return str(error)
        return ""

    until_none(trouble, seconds, lambda why: f"tls: {explain(why)}")


def _refusal(settings: Settings) -> str:
    """Give why certbot's last attempt came to nothing; nothing if it did not."""
    for container in docker.containers(f"{settings.name}_certbot"):
        return shell.run(docker.command("exec", container, "cat", FAILED), check=False).out.strip()
    return ""


def _greeting(settings: Settings) -> Greeting:
    return Greeting(host(settings), trusted(settings))
