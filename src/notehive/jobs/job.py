"""One job of the Swarm: made or found again, followed to its end, removed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from docker.errors import APIError

from notehive.hub import tokens
from notehive.jobs import removal, service
from notehive.jobs.course import ABSENT, Course
from notehive.jobs.following import UnplaceableError
from notehive.jobs.platform import Platform
from notehive.jobs.service import Begun, Size
from notehive.jobs.step import TOKEN, Attempt
from notehive.jobs.verdict import Verdict

RETRY_SECONDS = 2.0  # between two attempts to reach an engine that does not answer

T = TypeVar("T")


class Job:
    """One attempt at a step, as a service of the Swarm."""

    def __init__(
        self,
        platform: Platform,
        attempt: Attempt,
        release: Begun,
        size: Size,
        say: Callable[[str], None],
        timeout: float = 0,
    ) -> None:
        """``say`` takes each line for the task's log; ``timeout``: seconds, 0 for none."""
        self.platform, self.attempt, self.release, self.size = platform, attempt, release, size
        self.say, self.timeout = say, timeout
        self.labels = attempt.labels(platform.config.stack)
        self.name = attempt.service(platform.config.stack)

    async def run(self) -> Verdict:
        """Run it to its end. Its service stays, and whoever asks again is answered the same."""
        self.platform.followed.add(self.name)
        found = await self._patiently(self._find_or_make)
        course = self._course(found["ID"])
        try:
            async with asyncio.timeout(self._seconds_left(found)):
                return await self._patiently(course.end)
        except UnplaceableError as error:
            return Verdict(False, str(error))
        except TimeoutError:
            return Verdict(False, f"It took longer than its timeout of {self.timeout:g} s.")

    async def discard(self) -> None:
        """Remove all that is left of it."""
        try:
            await removal.discard(self.platform, self.labels)
        finally:
            self.platform.followed.discard(self.name)  # what is left now is the sweep's

    def _course(self, identity: str) -> Course:
        platform = self.platform
        request = service.build(platform.config, self.attempt, self.release, self.size, [])
        return Course(
            platform.watch, platform.session, platform.engine_url, request, identity, self.say
        )

    def _seconds_left(self, service: Mapping[str, Any]) -> float | None:
        """Give how long it may go on, counted from the making of its service."""
        if not self.timeout:
            return None
        # To the second: what follows may have more digits than Python reads.
        made = datetime.fromisoformat(service["CreatedAt"][:19]).replace(tzinfo=UTC)
        return max(0, self.timeout - (datetime.now(UTC) - made).total_seconds())

    async def _find_or_make(self) -> Mapping[str, Any]:
        find = self.platform.engine.find
        if found := await find("service", self.name):
            self.say("Its service is there already, and is followed again.")
            return found
        await self._remove_former()
        await self._make()
        return await find("service", self.name) or {}

    async def _make(self) -> None:
        platform, attempt = self.platform, self.attempt
        begun = await platform.runs.begin(attempt.directory, self.release)
        token = await platform.identities.issue(attempt.group, self.name)
        secret = await tokens.create(platform.engine, self.name, token, self.labels, TOKEN)
        self.say(f"Commit {begun.commit}, as {begun.image}")
        request = service.build(platform.config, attempt, begun, self.size, [secret])
        await platform.engine.call("create_service", **request)

    async def _remove_former(self) -> None:
        """Remove earlier attempts, and wait for their end: they write into the same directory."""
        platform = self.platform
        same = [f"{key}={value}" for key, value in self.labels.items() if key != "notehive.try"]
        for former in await platform.engine.call("services", filters={"label": same}):
            await removal.discard(platform, former["Spec"]["Labels"])
            await removal.ended(platform, former["Spec"]["Name"], former["ID"])

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until the platform answers: a job outlives the restart of any part of it."""
        said = ""
        while True:
            try:
                return await ask()
            except ABSENT as error:
                if isinstance(error, APIError) and error.is_client_error():
                    raise
                if said != (said := f"The platform does not answer, and is asked again: {error}"):
                    self.say(said)
            await asyncio.sleep(RETRY_SECONDS)
