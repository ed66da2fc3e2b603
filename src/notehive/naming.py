"""Names of Docker objects that are made from names of people.

A user may be called nearly anything; a Docker service may not, and two users must never get
the same one. So each name is a readable part and a digest of the whole.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping

READABLE = 24


def slug(text: str) -> str:
    """Give a DNS label of at most 35 characters that no other text gives.

    ``slug("Ana.B")`` is ``ana-b-`` and ten hexadecimal digits of the text's SHA-256.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:READABLE].rstrip("-")
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return f"{readable or 'x'}-{digest}"


def server_service(stack: str, user: str, server: str = "") -> str:
    """Give the name of the Swarm service of a user's server; ``server`` if it has a name."""
    # A user's name holds no "/": the pair is unmistakable.
    return f"{stack}-{slug(f'{user}/{server}' if server else user)}"


def job_service(
    stack: str, *, group: str, model: str, pipeline: str, step: str, run: str, attempt: str
) -> str:
    """Give the name of the Swarm service of one attempt at a step of a model's pipeline."""
    # A user's name holds no ":": no server has this text.
    return f"{stack}-{slug(f'job:{step}:{group}/{model}/{pipeline}/{run}/{attempt}')}"


def run_directory(group: str, model: str, pipeline: str, run: str) -> str:
    """Give the path, below the storage's root, of what the steps of one run share."""
    return f"runs/{group}/{model}/{slug(f'{pipeline}/{run}')}"


def options_digest(options: Mapping[str, str]) -> str:
    """Give a few letters that other options of a volume would change.

    A node keeps a volume with the options of its first use: others, another name.
    """
    return hashlib.sha256(repr(sorted(options.items())).encode()).hexdigest()[:10]


def home(user: str) -> str:
    """Give the path, below the storage's root, of a user's home in all of that user's servers."""
    return f"homes/{slug(user)}"


def shared(group: str) -> str:
    """Give the path, below the storage's root, of a group's shared folder."""
    return f"shared/{group}"
