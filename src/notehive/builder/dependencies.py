"""The image with what a project needs beside its notebook image: made once for all its commits."""

import asyncio
import hashlib
import json
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from notehive.builder import Say, commands, disk, dockerfiles, engine, labels, program
from notehive.builder.config import BuilderConfig
from notehive.builder.engine import BuildEngine
from notehive.builder.program import FailedError
from notehive.builder.recipe import Recipe
from notehive.builder.requirements import Requirement
from notehive.errors import BadInput

GATHER = Path(__file__).with_name("gather.py")
OUT = "/tmp/out"  # noqa: S108 - see gather.py
ENDINGS = {"wheels": ".whl", "packages": ".deb"}
LARGEST = 20 << 30  # bytes of all that is gathered


@dataclass(frozen=True)
class Dependencies:
    """Makes such images; ``index`` is the package index's path at the door."""

    config: BuilderConfig
    engine: BuildEngine
    index: str

    @property
    def _ours(self) -> dict[str, str]:
        return {labels.BUILDER: self.config.stack}

    async def ensure(
        self, group: str, recipe: Recipe, base: str, base_id: str, work: Path, say: Say, fresh: bool
    ) -> tuple[str, str]:
        """Give name and key of the image for a recipe, made if it is not there or is to be fresh.

        ``base`` is the notebook image itself, which a recipe without wishes gets, with no key.
        Raises BadInput with the reason if what is wished for cannot be had.
        """
        if not recipe.requirements and not recipe.packages:
            return base, ""
        key = digest(group, recipe, base_id)
        name = f"127.0.0.1:{self.config.registry_port}/notehive/dependencies:{key}"
        if not fresh and await self.engine.image(name):
            say("dependencies: are there, from an earlier build")
            return name, key
        # Each by a container of its own: packages' code runs where wheels are built, and Debian's
        # packages are installed as root, as apt has found them to be Debian's.
        gathered = work / "gathered"
        gathered.mkdir()
        count = {
            "packages": await self._gather("packages", recipe.packages, base, gathered, say),
            "wheels": await self._gather("wheels", recipe.requirements, base, gathered, say),
        }
        text = dockerfiles.dependencies(
            base, packages=bool(count["packages"]), wheels=bool(count["wheels"])
        )
        dockerfile = work / "Dockerfile.dependencies"
        dockerfile.write_text(text, encoding="utf-8")
        told = {labels.KIND: labels.DEPENDENCIES, labels.DEPENDENCIES_KEY: key, **self._ours}
        command = commands.build(name, gathered, dockerfile, told, fresh=fresh)
        try:
            await program.run(command, say, look=lambda: disk.require_room(work))
        except FailedError as error:
            raise BadInput(f"the dependencies cannot be installed: {error}") from None
        return name, key

    async def _gather(
        self, kind: str, wishes: Sequence[str | Requirement], base: str, to: Path, say: Say
    ) -> int:
        """Fetch wheels or packages into the folder of that name; give how many files there are."""
        if not wishes:
            return 0
        container = f"{self.config.stack}-gather-{uuid.uuid4().hex[:12]}"
        wanted = {
            "packages": [each for each in wishes if isinstance(each, str)],
            "requirements": [each.line for each in wishes if isinstance(each, Requirement)],
            "names": [each.name for each in wishes if isinstance(each, Requirement)],
            "index": self.index,
        }
        command = commands.gather(
            container,
            base,
            f"{self.config.stack}_builder-door",
            {labels.STACK: self.config.stack, labels.KIND: labels.GATHERING, **self._ours},
            GATHER.read_text(encoding="utf-8"),
        )
        archive = to.with_name("gathered.tar")
        try:
            with tempfile.TemporaryFile(dir=to.parent) as stdin:
                stdin.write(json.dumps(wanted).encode())
                stdin.seek(0)
                await program.run(command, say, stdin=stdin, look=lambda: disk.require_room(to))
            await self.engine.files(container, OUT, archive, LARGEST)
        except FailedError as error:
            raise BadInput(f"the dependencies cannot be had: {error}") from None
        finally:
            await self.engine.remove_container(container)
        return await asyncio.to_thread(engine.unpack, archive, ENDINGS[kind], to / kind)


def digest(group: str, recipe: Recipe, base_id: str) -> str:
    """Give what an image of dependencies is called by: by all that it is made from.

    No group gets what another one's packages may have made.
    """
    told = [group, base_id, [each.line for each in recipe.requirements], recipe.packages]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
