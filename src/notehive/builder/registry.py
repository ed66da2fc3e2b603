"""The registry: what it has, and the credential that pushes need."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout, encode_basic_auth

from notehive.errors import NotehiveError

URL = "http://registry:5000"
PASSWORD = Path("/run/secrets/registry-password")
USER = "builder"
MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
TIMEOUT = ClientTimeout(total=20)


@dataclass(frozen=True)
class Pushed:
    """An image that the registry has."""

    digest: str  # by which it is pulled
    ids: frozenset[str]  # by which engines know it: by its configuration or its manifest


class Registry:
    """Asks the registry; ``password`` is the builder's."""

    def __init__(self, password: str, url: str = URL) -> None:
        self._password, self._url = password, url

    @property
    def login(self) -> dict[str, str]:
        """Headers by which an engine pushes."""
        told = json.dumps({"username": USER, "password": self._password})
        return {"X-Registry-Auth": base64.urlsafe_b64encode(told.encode()).decode()}

    async def find(self, reference: str) -> Pushed | None:
        """Give the image with the path and tag of this reference. Raises NotehiveError."""
        path, _, tag = reference.partition("/")[2].rpartition(":")
        headers = {
            "Accept": ", ".join(MANIFESTS),
            "Authorization": encode_basic_auth(USER, self._password),
        }
        try:
            async with (
                ClientSession(timeout=TIMEOUT) as session,
                session.get(f"{self._url}/v2/{path}/manifests/{tag}", headers=headers) as answer,
            ):
                if answer.status == 404:
                    return None
                answer.raise_for_status()
                digest = answer.headers["Docker-Content-Digest"]
                manifest = json.loads(await answer.read())
        except (ClientError, OSError, TimeoutError) as error:
            raise NotehiveError(
                f"registry: it does not answer ({error or type(error).__name__}); "
                "see `./notehive logs registry`"
            ) from None
        return Pushed(digest, frozenset({digest, manifest["config"]["digest"]}))
