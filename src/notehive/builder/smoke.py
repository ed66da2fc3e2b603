"""Smoke: an image that was just built runs its notebooks and tests, with the walls of a job."""

import asyncio
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

from notehive.builder import Say, labels, recipe, smoke_service
from notehive.builder.build import Builds
from notehive.builder.recipe import Recipe
from notehive.builder.turns import Turns
from notehive.builder.wanted import Wanted, WantedSmoke
from notehive.endings import OUT_OF_MEMORY
from notehive.errors import BadInput, NotehiveError
from notehive.hub.ending import KILLED
from notehive.jobs.course import ABSENT, Course
from notehive.jobs.following import UnplaceableError
from notehive.jobs.verdict import FAILED
from notehive.jobs.watch import JobWatch

LONGEST_SECONDS = 1800.0  # of all notebooks and tests of a project
GRACE_SECONDS = 120.0  # to start, and to say where it was when its time was over
AT_FAULT = (FAILED, OUT_OF_MEMORY, KILLED)  # exit codes for which the project itself is


class SmokeWatch(JobWatch):
    """A watch over the tasks in which images are tried."""

    kind = labels.SMOKE


@dataclass(frozen=True)
class Smokes:
    """Has images tried; ``builds`` knows the commits' files, ``logs`` reads the engine's."""

    builds: Builds
    watch: SmokeWatch
    logs: ClientSession
    turns: Turns

    async def smoke(self, wanted: WantedSmoke, say: Say) -> dict[str, Any]:
        """Have the image of a commit tried.

        Raises BadInput with the first thing that fails, NotehiveError if it could not be tried.
        """
        config = self.builds.config
        name = wanted.image(config.registry_port)
        image = await self.builds.engine.image(name)
        if image is None:
            raise BadInput(f"{wanted.model}: {wanted.commit}: there is no image; build it first")
        found = await self._recipe(wanted)
        size = (
            config.size(found.size, wanted.group)
            if found.kind == "model"
            else config.smallest_size(wanted.group)  # in which it must start as well
        )
        request = smoke_service.build(
            config, wanted, found.kind, image["Id"], size, LONGEST_SECONDS
        )
        async with self.turns.turn(wanted.model, say):
            await self._run(request, say)
        return {}

    async def remove_left(self) -> None:
        """Remove what an earlier builder has left."""
        ours = [f"{labels.STACK}={self.builds.config.stack}", f"{labels.KIND}={labels.SMOKE}"]
        for service in await self.watch.engine.call("services", filters={"label": ours}):
            await self.watch.engine.discard("service", service["ID"])

    async def _recipe(self, wanted: Wanted) -> Recipe:
        async with self.builds.directory() as work:
            project = work / "project"
            repository = wanted.repository(self.builds.repositories)
            await asyncio.to_thread(self.builds.source.export, repository, wanted.commit, project)
            return recipe.read(project)

    async def _run(self, request: dict[str, Any], say: Say) -> None:
        engine = self.watch.engine
        making = asyncio.create_task(engine.call("create_service", **request))
        try:
            made = await asyncio.shield(making)
            course = Course(
                self.watch, self.logs, "http://engine", request, made["ID"], say, what="smoke"
            )
            async with asyncio.timeout(LONGEST_SECONDS + GRACE_SECONDS):
                verdict = await course.end()
        except UnplaceableError as error:
            raise NotehiveError(str(error)) from None
        except TimeoutError:
            raise BadInput(f"it took longer than {LONGEST_SECONDS / 60:g} minutes") from None
        except ABSENT as error:
            raise NotehiveError(f"Docker engine: {error}") from None
        finally:
            await asyncio.wait([making])  # it may be on its way, if this is cancelled
            await engine.discard("service", request["name"])
        if not verdict.done:
            is_at_fault = course.task is not None and course.task.exit_code in AT_FAULT
            raise (BadInput if is_at_fault else NotehiveError)(verdict.words)
