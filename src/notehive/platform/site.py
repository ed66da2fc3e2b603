"""What the operator's site adds to images: its certificates and its mirrors."""

import shlex
from pathlib import Path

from notehive.errors import BadInput
from notehive.platform import debian, files
from notehive.settings import Settings

MACHINE_BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),  # Debian, Ubuntu
    Path("/etc/pki/tls/certs/ca-bundle.crt"),  # Fedora, RHEL
)


def ca_bundle(settings: Settings) -> bytes:
    """Give the certificates that images are to trust: `ca_bundle`, else the machine's own."""
    if settings.ca_bundle:
        return files.read_pem("ca_bundle", settings.ca_bundle, "certificate")
    for path in MACHINE_BUNDLES:
        if path.exists():
            return path.read_bytes()
    raise BadInput(
        "ca_bundle: this machine has no bundle of certificates; install ca-certificates, "
        "or name a file"
    )


def base_files(settings: Settings, patched: str = "") -> dict[str, bytes]:
    """Give the files that the base image copies from the site, by path in the build context.

    ``patched`` says when the images were last patched: another time makes them all anew.
    """
    return {
        ".site/patched": patched.encode(),
        ".site/ca-bundle.crt": ca_bundle(settings),
        ".site/debian.sources": debian.apt_sources(settings.mirrors).encode(),
    }


def build_secret(settings: Settings) -> str:
    """Give shell lines that set the package indexes of a build step.

    They reach builds as a secret, for an index address may hold a password.
    """
    mirrors = settings.mirrors
    variables = {
        "PIP_INDEX_URL": mirrors.pypi,
        "UV_DEFAULT_INDEX": mirrors.pypi,
        "npm_config_registry": mirrors.npm,
    }
    return "".join(
        f"export {key}={shlex.quote(value)}\n" for key, value in variables.items() if value
    )
