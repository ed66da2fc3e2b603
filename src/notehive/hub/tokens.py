"""A server's token, kept as a Swarm secret: whoever lists services reads their environment."""

import hashlib
from collections.abc import Mapping
from typing import Any

from docker.errors import APIError
from docker.types import SecretReference

from notehive.hub.engine import Engine

FILE = "jupyterhub-token"  # below /run/secrets, where the image's entrypoint reads it
KIND = "token"  # label notehive.kind of these secrets
USER_ID, GROUP_ID = "1000", "100"  # of jovyan, in notebooks-images/base


def beginning(service: str) -> str:
    """Give what the names of a server's tokens begin with; eight hexadecimal digits follow."""
    return f"{service[:50]}-"


async def create(
    engine: Engine, service: str, token: str, labels: Mapping[str, str], kind: str = KIND
) -> SecretReference:
    """Make the secret of a server; give what its service names it by."""
    name = beginning(service) + hashlib.sha256(token.encode()).hexdigest()[:8]
    labels = {**labels, "notehive.kind": kind}
    secret: Mapping[str, Any] = await engine.call("create_secret", name, token.encode(), labels)
    return SecretReference(secret["ID"], name, filename=FILE, uid=USER_ID, gid=GROUP_ID, mode=0o400)


async def discard(engine: Engine, *labels: str, kind: str = KIND) -> None:
    """Remove the tokens that have all these labels."""
    chosen = {"label": [f"notehive.kind={kind}", *labels]}
    for secret in await engine.call("secrets", filters=chosen):
        await discard_one(engine, secret)


async def discard_one(engine: Engine, secret: Mapping[str, Any]) -> list[str]:
    """Remove a token; give its name, or nothing where a task that ends still uses it."""
    try:
        done = await engine.discard("secret", secret["ID"])
    except APIError as error:
        if "in use" in str(error):
            return []  # the sweep comes back to it
        raise
    return [secret["Spec"]["Name"]] if done else []
