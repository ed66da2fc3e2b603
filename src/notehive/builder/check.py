"""The check of a commit, by the notebook image that it is built on, before anything is built."""

import asyncio
import tarfile
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from notehive.builder import Say, commands, disk, labels, program, recipe
from notehive.builder.build import Builds
from notehive.builder.program import FailedError
from notehive.builder.wanted import WantedCheck
from notehive.errors import BadInput, NotehiveError

LONGEST_SECONDS = 300.0


@dataclass(frozen=True)
class Checks:
    """Has projects checked; what is asked of ``builds`` is where a commit's files are."""

    builds: Builds

    async def check(self, wanted: WantedCheck, say: Say) -> dict[str, Any]:
        """Have a commit checked; the log names each thing that is wrong.

        Raises BadInput if something is, NotehiveError if it could not be checked.
        """
        builds = self.builds
        async with builds.directory() as work:
            disk.require_room(work)
            project = work / "project"
            repository = wanted.repository(builds.repositories)
            await asyncio.to_thread(builds.source.export, repository, wanted.commit, project)
            if (project / "dags").exists() and wanted.group not in builds.config.dags:
                raise BadInput(
                    f"dags/: the group {wanted.group} may not write DAGs; remove them, or ask an "
                    f"administrator for `groups: {{{wanted.group}: {{dags: true}}}}`"
                )
            found = recipe.read(project)
            base = builds.config.notebook_image(found.image, wanted.group).reference
            for place, size in found.sizes:
                builds.config.size(size, wanted.group, place)
            await builds.base_id(base, say)
            with tempfile.TemporaryFile(dir=work) as archive:
                await asyncio.to_thread(_pack, project, archive)
                await self._run(base, archive, say)
        return {}

    async def _run(self, image: str, archive: IO[bytes], say: Say) -> None:
        builds = self.builds
        stack = builds.config.stack
        name = f"{stack}-check-{uuid.uuid4().hex[:12]}"
        told = {labels.STACK: stack, labels.BUILDER: stack, labels.KIND: labels.CHECKING}
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await program.run(commands.check(name, image, told), say, stdin=archive)
        except TimeoutError:
            raise BadInput(f"it took longer than {LONGEST_SECONDS / 60:g} minutes") from None
        except FailedError as error:
            if error.code == BadInput.exit_code:
                raise BadInput("see above what is wrong; nothing is built") from None
            raise NotehiveError(f"it could not be done: {error}") from None
        finally:
            await builds.engine.remove_container(name)


def _pack(directory: Path, to: IO[bytes]) -> None:
    """Write a tar of what is in a directory, to be read from its beginning."""
    with tarfile.open(fileobj=to, mode="w") as archive:
        archive.add(directory, ".")
    to.seek(0)
