"""The stages of a release, whoever has them run one after the other."""

import asyncio
from dataclasses import dataclass, field

from notehive.api.builder import STAGES as BUILDERS
from notehive.api.builder import Builder
from notehive.api.publish import Publish
from notehive.builder import Say
from notehive.errors import NotehiveError
from notehive.git.repositories import Repository

PUBLISH = "publish"
STAGES = (*BUILDERS, PUBLISH)  # in their order


@dataclass
class Release:
    """One that is on its way; it has passed the stages before ``next``."""

    repository: Repository
    commit: str
    user: str  # who asked for it
    say: Say
    passed: list[str] = field(default_factory=list)
    image: str = ""  # by digest, once it is in the registry
    error: NotehiveError | None = None  # of the stage that failed

    @property
    def next(self) -> str:
        """Give the stage whose turn it is; nothing after the last one."""
        return "".join(STAGES[len(self.passed) :][:1])


@dataclass(frozen=True)
class Stages:
    """Runs them: all but the last the builder does."""

    builder: Builder
    publish: Publish

    async def run(self, release: Release, say: Say) -> None:
        """Run the stage whose turn it is. Raises NotehiveError that begins with its name."""
        stage = release.next
        say(f"{stage} ...")
        try:
            await self._run(stage, release, say)
        except NotehiveError as error:
            release.error = type(error)(f"{stage}: {error}")
            raise release.error from None
        release.passed.append(stage)

    async def _run(self, stage: str, release: Release, say: Say) -> None:
        (group, name, _), commit = release.repository, release.commit
        if stage == PUBLISH:
            told = release.repository, commit, release.image, release.user
            await asyncio.to_thread(self.publish, *told)
            return
        wanted = {"group": group, "name": name, "commit": commit}
        async for event in self.builder.ask(stage, wanted):
            if "line" in event:
                say(event["line"])
            else:
                release.image = event["result"].get("image", release.image)
