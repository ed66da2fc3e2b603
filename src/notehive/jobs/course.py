"""The course of a one-shot service: its task from state to state, its log, and how it ended."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

import requests
from aiohttp import ClientError, ClientSession
from docker.errors import APIError

from notehive.hub import room
from notehive.hub.tasks import Task
from notehive.jobs import verdict
from notehive.jobs.following import Following
from notehive.jobs.log import Log
from notehive.jobs.verdict import Verdict
from notehive.jobs.watch import JobWatch

DRAIN_SECONDS = 30.0  # for the rest of a log, which may be on a node that is lost
# What is raised while an engine does not answer.
ABSENT = (APIError, ClientError, OSError, requests.RequestException, TimeoutError)


class Course:
    """Follows one service. It can be followed again after it was left: no line is told twice."""

    def __init__(
        self,
        watch: JobWatch,
        session: ClientSession,
        engine_url: str,
        request: Mapping[str, Any],
        service: str,
        say: Callable[[str], None],
        what: str = "step",
    ) -> None:
        """``session`` reads its log at ``engine_url``; ``say`` takes each line.

        ``request``: the arguments of docker-py's ``create_service`` that it was made by;
        ``service``: its id; ``what``: what people call it.
        """
        self._watch, self._service, self._say = watch, service, say
        self._log = Log(session, f"{engine_url}/services/{service}", say)
        template = request["task_template"]
        self._limit = template["Resources"]["Limits"]["MemoryBytes"]
        [network] = (each["Target"] for each in template["Networks"])
        need = room.Need.of(template)
        self._following = Following(watch, say, request["name"], service, network, need, what)
        self.task: Task | None = None  # as it was last seen; none where its service was removed

    async def end(self) -> Verdict:
        """Follow its task, and tell its log, until both have ended. Raises UnplaceableError."""
        reading: asyncio.Task[None] | None = None
        try:
            async with aclosing(self._following.looks()) as looks:
                async for self.task in looks:
                    if self.task is None or not (self.task.starting or self.task.running):
                        break
                    if self.task.running and not self._log.full and _is_done(reading):
                        reading = asyncio.create_task(self._read())
        finally:
            if reading:
                reading.cancel()
                await asyncio.wait([reading])
        if self.task and self.task.exit_code is not None:  # else it never ran
            await self._finish()
        return verdict.judge(
            self.task, await self._watch.engine.nodes(), self._limit, self._log.last
        )

    async def _read(self) -> None:
        """Tell the log as far as it goes; what is missing is told at the end."""
        with contextlib.suppress(*ABSENT):
            await self._log.follow()

    async def _finish(self) -> None:
        try:
            await asyncio.wait_for(self._log.finish(), DRAIN_SECONDS)
        except ABSENT as error:
            self._say(f"The end of its log cannot be read: {error!r}")


def _is_done(reading: "asyncio.Task[None] | None") -> bool:
    return reading is None or reading.done()
