"""The Docker engine, as the builder asks it; builds themselves need the command line."""

import json
import shutil
import tarfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode

from aiohttp import ClientError, ClientTimeout
from yarl import URL

from notehive.errors import NotehiveError
from notehive.guard.engine import Engine, EngineError

UNHURRIED = ClientTimeout(total=None, sock_connect=5, sock_read=600)
NOT_FOUND = 404
WAITS = ("Preparing", "Waiting", None)


class BuildEngine(Engine):
    """What is asked of it beside its command line."""

    async def image(self, reference: str) -> dict[str, Any] | None:
        """Give an image as the engine describes it, if it has it."""
        try:
            answer = await self.ask("GET", f"/images/{quote(reference)}/json")
        except EngineError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        found: dict[str, Any] = answer.data
        return found

    async def images(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """Give the images with these labels, those without a name too."""
        found: list[dict[str, Any]] = await self._listed("/images/json", labels)
        return found

    async def services(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """Give the Swarm's services with these labels."""
        found: list[dict[str, Any]] = await self._listed("/services", labels)
        return found

    async def tag(self, reference: str, name: str) -> None:
        """Give an image another name, with its tag."""
        repository, _, tag = name.rpartition(":")
        query = urlencode({"repo": repository, "tag": tag})
        await self.ask("POST", f"/images/{quote(reference)}/tag", query=query)

    async def remove_image(self, reference: str) -> bool:
        """Remove an image by a name or its id, if nothing stands on it; say whether."""
        try:
            await self.ask("DELETE", f"/images/{quote(reference)}")
        except EngineError as error:
            if error.status in (NOT_FOUND, 409):
                return False
            raise
        return True

    async def remove_container(self, name: str) -> None:
        """End a container and remove it, with what it holds."""
        try:
            await self.ask("DELETE", f"/containers/{name}", query="force=1&v=1")
        except EngineError as error:
            if error.status not in (NOT_FOUND, 409):  # 409: it is being removed
                raise

    async def remove_containers(self, labels: Mapping[str, str]) -> None:
        """Remove all with these labels."""
        for container in await self._listed("/containers/json", labels):
            await self.remove_container(container["Id"])

    async def forget(self, keep: int, hours: int) -> None:
        """Shrink the cache of builds to so many bytes, by what nobody used for so long."""
        query = urlencode({"keep-storage": keep, "filters": json.dumps({"until": [f"{hours}h"]})})
        await self.ask("POST", "/build/prune", query=query)

    async def files(self, container: str, path: str, to: Path, most: int) -> None:
        """Write a directory of a container that has ended to a tar file of ``most`` bytes."""
        url = URL(f"http://engine/containers/{container}/archive?path={path}")
        async with self._session.get(url, timeout=UNHURRIED) as response:
            if response.status >= 300:
                raise EngineError(response.status, f"{path}: the container has no such directory")
            with to.open("wb") as file:
                async for chunk in response.content.iter_chunked(1 << 20):
                    file.write(chunk)
                    if file.tell() > most:
                        raise NotehiveError(f"the dependencies have more than {most >> 30} GB")

    async def push(self, reference: str, login: Mapping[str, str]) -> AsyncIterator[str]:
        """Push an image to the registry that its name begins with; yield what the engine says.

        ``login`` is encoded by the caller, as headers. Raises EngineError.
        """
        name, _, tag = reference.rpartition(":")
        url = URL(f"http://engine/images/{name}/push?tag={tag}")
        try:
            async with self._session.post(url, headers=login, timeout=UNHURRIED) as response:
                async for line in response.content:
                    said = json.loads(line)
                    if message := said.get("error") or said.get("message"):
                        raise EngineError(response.status, message)
                    # Not each step of a bar, nor what each layer waits for.
                    if not said.get("progressDetail") and said.get("status") not in WAITS:
                        yield " ".join(filter(None, (said.get("id"), said.get("status"))))
        except (ClientError, OSError, ValueError) as error:
            raise EngineError(503, f"The Docker engine does not answer: {error!r}") from None

    async def _listed(self, path: str, labels: Mapping[str, str]) -> Any:
        filters = {"label": [f"{key}={value}" for key, value in labels.items()]}
        query = urlencode({"all": 1, "filters": json.dumps(filters)})
        return (await self.ask("GET", path, query=query)).data


def unpack(archive: Path, ending: str, to: Path) -> int:
    """Take the files of a tar that a stranger has written to a new directory; give how many.

    They are plain files right below the tar's first directory, with names that end so; nothing
    else is looked at.
    """
    to.mkdir()
    count = 0
    with tarfile.open(archive) as entries:
        for entry in entries:
            _, _, name = entry.name.partition("/")
            if not entry.isfile() or not name.endswith(ending) or name[0] == "." or "/" in name:
                continue
            content: IO[bytes] | None = entries.extractfile(entry)
            assert content is not None  # noqa: S101 - it is a file
            with content, (to / name).open("wb") as file:
                shutil.copyfileobj(content, file)
            count += 1
    return count
