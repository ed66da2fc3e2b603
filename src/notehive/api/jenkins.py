"""Releases as builds of Jenkins: it is asked for each, and its agent asks for their stages.

What a build has done its agent tells (`notehive.api.agent`), how it ended Jenkins.
"""

import asyncio
import logging
from time import monotonic
from typing import NamedTuple

from aiohttp import ClientError, web

from notehive.api.stages import Release
from notehive.builder import AGAIN
from notehive.errors import NotehiveError
from notehive.git.repositories import Repositories
from notehive.jenkins.client import Jenkins, NoJobError, State

PAUSE = 1.0  # seconds between two questions
PATIENCE = 600.0  # seconds without an answer: Jenkins may start anew, and then a build goes on
NO_ANSWER = (ClientError, OSError, TimeoutError)

log = logging.getLogger(__name__)


class Access(NamedTuple):
    """How to ask Jenkins, and what its agent shows and is told."""

    client: Jenkins
    token: str  # which its agent shows
    key: str  # that addresses of repositories are signed with
    inside: str  # the site's address, for Jenkins and its agents


class NotReachedError(Exception):
    """Jenkins could not be asked for a build."""


class ByJenkins:
    """Has Jenkins release; ``url`` is the site's address."""

    def __init__(self, access: Access, repositories: Repositories, url: str) -> None:
        self.access, self.repositories, self.url = access, repositories, url
        self.jenkins = access.client
        # Those that Jenkins was asked for, by group, name and commit.
        self.open: dict[tuple[str, str, str], Release] = {}
        self._making: set[asyncio.Task[None]] = set()

    async def begin(self, application: web.Application) -> None:
        """Let the repositories have their jobs that are there already."""
        self.want_jobs()

    async def end(self, application: web.Application) -> None:
        """Ask no more."""
        for making in self._making:
            making.cancel()
        await self.jenkins.close()

    def want_jobs(self) -> None:
        """Let each repository have its job soon; its first release sees to it, too."""
        making = asyncio.create_task(self._try_jobs())
        self._making.add(making)
        making.add_done_callback(self._making.discard)

    async def release(self, release: Release) -> None:
        """Have Jenkins take a release through the stages.

        Raises NotReachedError if it cannot be asked, NotehiveError if the build fails.
        """
        group, name, _ = release.repository
        key = (group, name, release.commit)
        self.open[key] = release
        release.say("waiting for Jenkins")
        try:
            try:
                place = await self._ask(release)
            except (NoJobError, *NO_ANSWER) as error:
                raise NotReachedError(repr(error)) from None
            page, result = await self._follow(place, release)
        finally:
            del self.open[key]
        if result != "SUCCESS":
            left = f" before {release.next} was done" if release.next else ""
            said = f"Jenkins: the build ended{left}: {result}; see {self._address(page)}"
            raise release.error or NotehiveError(said)

    async def _ask(self, release: Release) -> str:
        """Ask for a build; give where Jenkins tells of it."""
        group, name, _ = release.repository
        wanted = (group, name, release.commit, release.user)
        try:
            return await self.jenkins.release(*wanted)
        except NoJobError:
            await self._make_jobs()
            return await self.jenkins.release(*wanted)

    async def _follow(self, place: str, release: Release) -> State:
        """Wait until a build has ended."""
        state, heard = State(place, ""), monotonic()
        while not state.result:
            try:
                now = await self.jenkins.state(state.place)
            except (NoJobError, *NO_ANSWER) as error:
                if isinstance(error, NoJobError) or monotonic() > heard + PATIENCE:
                    said = f"Jenkins: it does not tell of the build any more; {AGAIN}"
                    raise NotehiveError(said) from None
                now = state
            else:
                heard = monotonic()
            if now.place != state.place:
                release.say(self._address(now.place))
            state = now
            await asyncio.sleep(PAUSE)
        return state

    def _address(self, place: str) -> str:
        return f"{self.url}/jenkins/{place}/"

    async def _try_jobs(self) -> None:
        try:
            await self._make_jobs()
        except (NoJobError, *NO_ANSWER) as error:
            log.warning("no jobs were made: %r", error)

    async def _make_jobs(self) -> None:
        found = self.repositories.seen_by(lambda group: True)
        await self.jenkins.make_jobs((group, name) for group, name, _ in found)
