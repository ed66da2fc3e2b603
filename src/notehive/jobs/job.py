"""One job of the Swarm: made or found again, followed to its end, removed."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, TypeVar

import requests
from aiohttp import ClientError
from docker.errors import APIError

from notehive.hub import room, tokens
from notehive.hub.tasks import Task
from notehive.jobs import removal, service, verdict
from notehive.jobs.following import Following, UnplaceableError
from notehive.jobs.log import Log
from notehive.jobs.platform import Platform
from notehive.jobs.service import Begun, Size
from notehive.jobs.step import TOKEN, Attempt
from notehive.jobs.verdict import Verdict

RETRY_SECONDS = 2.0  # between two attempts to reach an engine that does not answer
DRAIN_SECONDS = 30.0  # for the rest of a log, which may be on a node that is lost
ABSENT = (APIError, ClientError, OSError, requests.RequestException, TimeoutError)

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
        url = f"{self.platform.engine_url}/services/{found['ID']}"
        log = Log(self.platform.session, url, self.say)
        try:
            async with asyncio.timeout(self._seconds_left(found)):
                return await self._patiently(lambda: self._follow(found["ID"], log))
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
            name = former["Spec"]["Name"]
            async with aclosing(platform.watch.follow(name, former["ID"])) as looks:
                async for tasks in looks:
                    if not any(task.present for task in tasks):
                        break

    async def _follow(self, identity: str, log: Log) -> Verdict:
        """Follow its task, and tell its log, until both have ended."""
        platform, task = self.platform, None
        request = service.build(platform.config, self.attempt, self.release, self.size, [])
        need, network = room.Need.of(request["task_template"]), f"{platform.config.stack}_users"
        following = Following(platform.watch, self.say, self.name, identity, network, need)
        reading: asyncio.Task[None] | None = None
        try:
            async with aclosing(following.looks()) as looks:
                async for task in looks:
                    if task is None or not (task.starting or task.running):
                        break
                    if task.running and not log.full and (reading is None or reading.done()):
                        reading = asyncio.create_task(_read(log))
        finally:
            if reading:
                reading.cancel()
                await asyncio.wait([reading])
        if task:
            await self._finish(log, task)
        limit = service.amounts(platform.config, self.size).memory
        return verdict.judge(task, await platform.engine.nodes(), limit, log.last)

    async def _finish(self, log: Log, task: Task) -> None:
        if task.exit_code is None:
            return  # it never ran
        try:
            await asyncio.wait_for(log.finish(), DRAIN_SECONDS)
        except ABSENT as error:
            self.say(f"The end of its log cannot be read: {error!r}")

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


async def _read(log: Log) -> None:
    """Tell a log as far as it goes; what is missing is told at the end."""
    with contextlib.suppress(*ABSENT):
        await log.follow()
