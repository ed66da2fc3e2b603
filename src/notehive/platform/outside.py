"""The server outside that repositories come from: what the services are told of it, and shown."""

from notehive.errors import BadInput
from notehive.outside.config import OutsideConfig
from notehive.platform import files
from notehive.platform.contents import Content
from notehive.settings import External, Settings

KEY = "git.external"
# The settings that name files, by the secrets that those become.
FILES = {
    "outside-key": "key_file",
    "outside-status": "status_token_file",
    "outside-token": "token_file",
    "outside-webhook": "webhook_secret_file",
}
SHORTEST = 16  # characters of a secret that signs


def wanted(external: External | None) -> dict[str, bool]:
    """Give the secrets of stack.yml that are of this, and whether the site has each."""
    return {secret: bool(getattr(external, key, "")) for secret, key in FILES.items()}


def pages(external: External | None) -> list[str]:
    """Give what Nginx has to lead on to, beside services: the webhook."""
    return ["webhook"] if external else []


def contents(settings: Settings) -> list[Content]:
    """Give the config and the secrets. Raises BadInput for a file that cannot be one of them."""
    if (external := settings.outside) is None:
        return []
    ca, hosts = external.ca_file, external.known_hosts_file
    config = OutsideConfig(
        provider=external.provider,
        repositories=external.repositories,
        branch=external.branch,
        user=external.user,
        certificates=files.read_pem(f"{KEY}.ca_file", ca, "certificate").decode() if ca else "",
        known_hosts=files.read(f"{KEY}.known_hosts_file", hosts).decode() if hosts else "",
    )
    told = [Content(settings.name, "config", "outside", config.model_dump_json(indent=1).encode())]
    for secret, key in FILES.items():
        if path := getattr(external, key):
            place = f"{KEY}.{key}"
            if key == "key_file":  # whose last line has to end
                data = files.read_pem(place, path, "private key")
            else:
                data = files.read_line(place, path).encode()
            told.append(Content(settings.name, "secret", secret, data))
    return told


def check(settings: Settings) -> str:
    """Say where repositories come from. Raises BadInput for files that cannot be used."""
    if (external := settings.outside) is None:
        return "the site's own"
    contents(settings)
    key = f"{KEY}.webhook_secret_file"
    if len(files.read_line(key, external.webhook_secret_file)) < SHORTEST:
        raise BadInput(f"{key}: is short; use {SHORTEST} characters or more, by chance")
    return f"{external.provider}, {len(external.repositories)} repositories"
