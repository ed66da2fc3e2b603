"""The certificate that certbot, in its container, gets from an ACME server."""

from notehive import docker, shell
from notehive.errors import NotehiveError
from notehive.platform import certificate
from notehive.settings import Settings

OBTAIN = "/opt/notehive/certbot/obtain"


def obtain(settings: Settings) -> str:
    """Have certbot ask for the certificate if it is time; raise with the server's reason."""
    found = docker.containers(f"{settings.name}_certbot")
    if not found:
        raise NotehiveError("certbot: its container is not on this node; see `./notehive status`")
    asked = shell.run(docker.command("exec", found[0], OBTAIN), check=False)
    if asked.code:
        said = (asked.out.strip() or asked.err.strip() or "no answer").splitlines()[-1]
        raise NotehiveError(
            f"tls: the ACME server gives no certificate: {said}; "
            f"{certificate.host(settings)} must lead to port {settings.redirect_port} "
            "of this machine from where that server is"
        )
    return f"from {settings.tls.server}"
