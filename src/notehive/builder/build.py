"""A build: a commit's files on what they need, as an image that the engine has."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notehive import docker
from notehive.builder import Say, commands, disk, dockerfiles, labels, program, recipe
from notehive.builder.config import BuilderConfig
from notehive.builder.dependencies import Dependencies
from notehive.builder.engine import BuildEngine
from notehive.builder.program import FailedError
from notehive.builder.recipe import Recipe
from notehive.builder.source import Source
from notehive.builder.turns import Turns
from notehive.builder.wanted import WantedBuild
from notehive.errors import BadInput, NotehiveError

REPOSITORIES = Path("/srv/git")
LONGEST_SECONDS = 3600.0


@dataclass(frozen=True)
class Builds:
    """Makes images of commits; ``work`` is a directory for what is on its way."""

    config: BuilderConfig
    engine: BuildEngine
    dependencies: Dependencies
    source: Source
    turns: Turns
    work: Path
    repositories: Path = REPOSITORIES

    async def build(self, wanted: WantedBuild, say: Say) -> dict[str, Any]:
        """Give the image of a commit, made unless it is there: its name, and the engine's id of it.

        The id is of what is in it; the digest by which it is run comes with the push.
        Raises BadInput for what is wrong with the project, NotehiveError for all else.
        """
        name = wanted.image(self.config.registry_port)
        if not wanted.fresh and (there := await self._current(name)):
            say("the image is there, from an earlier build")
            return {"image": name, "id": there, "reused": True}
        async with self.turns.turn(wanted.model, say), self.directory() as work:
            try:
                async with asyncio.timeout(LONGEST_SECONDS):
                    await self._make(wanted, name, work, say)
            except TimeoutError:
                raise NotehiveError(
                    f"builder: the build took longer than {LONGEST_SECONDS / 60:g} minutes"
                ) from None
        made = await self.engine.image(name)
        if made is None:
            raise NotehiveError(f"{name}: was removed while it was made; build it again")
        return {"image": name, "id": made["Id"], "reused": False}

    async def _current(self, name: str) -> str:
        """Give the id of an image that the same build would give again, if there is one."""
        found = await self.engine.image(name)
        told = (found or {}).get("Config", {}).get("Labels") or {}
        key = self.config.images.get(told.get(labels.NOTEBOOK_IMAGE, ""))
        base = await self.engine.image(key.reference) if key else None
        if not found or not base or base["Id"] != told.get(labels.BASE_DIGEST):
            return ""
        return str(found["Id"])

    async def _make(self, wanted: WantedBuild, name: str, work: Path, say: Say) -> None:
        disk.require_room(work)
        context = work / "context"
        context.mkdir()
        time = await asyncio.to_thread(
            self.source.export,
            wanted.repository(self.repositories),
            wanted.commit,
            context / "project",
        )
        found = recipe.read(context / "project")
        if found.name != wanted.name:
            raise BadInput(
                f"model.yml: name: {found.name}: should be that of the repository, {wanted.name}"
            )
        base = self.config.notebook_image(found.image, wanted.group).reference
        base_id = await self.base_id(base, say)
        on, key = await self.dependencies.ensure(
            wanted.group, found, base, base_id, work, say, wanted.fresh
        )
        dockerfile = work / "Dockerfile"
        dockerfile.write_text(_text(found, on, time), encoding="utf-8")
        told = labels.of_model(self.config.stack, wanted, found.image, (base, base_id), key)
        command = commands.build(name, context, dockerfile, told, fresh=wanted.fresh)
        try:
            await program.run(command, say, look=lambda: disk.require_room(work))
        except FailedError as error:
            raise NotehiveError(f"builder: the image cannot be made: {error}") from None

    async def base_id(self, base: str, say: Say) -> str:
        """Give the engine's id of a notebook image, which is pulled if it is not there."""
        if found := await self.engine.image(base):
            return str(found["Id"])
        try:
            await program.run(docker.command("pull", base), say)
        except FailedError as error:
            raise NotehiveError(f"{base}: cannot be pulled: {error}") from None
        return await self.base_id(base, say)

    @asynccontextmanager
    async def directory(self) -> AsyncIterator[Path]:
        """A directory for one build, gone afterwards."""
        path = Path(tempfile.mkdtemp(dir=self.work))
        try:
            yield path
        finally:
            await asyncio.to_thread(shutil.rmtree, path)


def _text(found: Recipe, on: str, time: int) -> str:
    """Give the Dockerfile of a recipe whose dependencies are in an image."""
    return dockerfiles.notebook_image(on) if found.kind == "image" else dockerfiles.model(on, time)
