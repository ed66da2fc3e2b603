"""The registry: what it has, and the credential that pushes need."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

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
    kind: str  # of its manifest
    manifest: bytes


class _Answer(NamedTuple):
    headers: Mapping[str, str]
    body: bytes


class Registry:
    """Asks the registry; ``password`` is the builder's. All raise NotehiveError if it fails."""

    def __init__(self, password: str, url: str = URL) -> None:
        self._password, self._url = password, url

    @property
    def login(self) -> dict[str, str]:
        """Headers by which an engine pushes."""
        told = json.dumps({"username": USER, "password": self._password})
        return {"X-Registry-Auth": base64.urlsafe_b64encode(told.encode()).decode()}

    async def find(self, reference: str) -> Pushed | None:
        """Give the image with the path and tag of this reference, if there is one."""
        path, _, tag = reference.partition("/")[2].rpartition(":")
        accept = {"Accept": ", ".join(MANIFESTS)}
        found = await self._ask("GET", f"{path}/manifests/{tag}", accept)
        if found is None:
            return None
        digest, kind = found.headers["Docker-Content-Digest"], found.headers["Content-Type"]
        ids = frozenset({digest, json.loads(found.body)["config"]["digest"]})
        return Pushed(digest, ids, kind, found.body)

    async def tags(self, path: str) -> list[str]:
        """Give the tags of all images of this path."""
        found = await self._ask("GET", f"{path}/tags/list")
        return (json.loads(found.body)["tags"] or []) if found else []

    async def tag(self, path: str, image: Pushed, tag: str) -> None:
        """Give an image of this path another tag."""
        kind = {"Content-Type": image.kind}
        await self._ask("PUT", f"{path}/manifests/{tag}", kind, image.manifest)

    async def remove(self, path: str, digest: str) -> None:
        """Remove an image with all of its tags; what it takes of the disk, `collection` frees."""
        await self._ask("DELETE", f"{path}/manifests/{digest}")

    async def _ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, data: bytes = b""
    ) -> _Answer | None:
        """Make a request; None if there is nothing of this path."""
        login = {"Authorization": encode_basic_auth(USER, self._password)}
        try:
            async with (
                ClientSession(timeout=TIMEOUT, headers={**login, **(headers or {})}) as session,
                session.request(method, f"{self._url}/v2/{path}", data=data or None) as answer,
            ):
                if answer.status == 404:
                    return None
                answer.raise_for_status()
                return _Answer(answer.headers, await answer.read())
        except (ClientError, OSError, TimeoutError) as error:
            raise NotehiveError(
                f"registry: it does not answer ({error or type(error).__name__}); "
                "see `./notehive logs registry`"
            ) from None
