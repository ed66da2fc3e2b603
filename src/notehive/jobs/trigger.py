"""A job as Airflow's triggerer follows it: in its event loop, beside all others.

While a notebook runs, this is all that there is of its task. The triggerer starts it again after
a restart, with the same arguments; it finds the job by its name.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Mapping
from typing import Any

from airflow.triggers.base import (
    BaseTrigger,
    TaskFailedEvent,
    TaskSkippedEvent,
    TaskSuccessEvent,
    TriggerEvent,
)

from notehive.jobs import facts, platform, removal
from notehive.jobs.identity import IdentityError
from notehive.jobs.job import Job
from notehive.jobs.platform import Platform
from notehive.jobs.runs import RunsError
from notehive.jobs.service import Begun, Size
from notehive.jobs.step import Attempt
from notehive.jobs.verdict import Verdict

# Whoever asks again within this time, like a triggerer that starts anew before Airflow has
# written down how a job ended, is answered by what is left of it.
KEEP_SECONDS = 5

BACKGROUND: set["asyncio.Task[None]"] = set()  # an event loop keeps no task alive


class JobTrigger(BaseTrigger):
    """Runs one step of a published model."""

    def __init__(
        self,
        step: Mapping[str, str],
        release: Mapping[str, str],
        size: Mapping[str, Any],
        timeout: float = 0,
        when: str = "",
        run: Mapping[str, Any] | None = None,
    ) -> None:
        """Take JSON, which Airflow keeps.

        ``step``: group, model, pipeline and step; ``release`` and ``size``: arguments of `Begun`
        and `Size`; ``timeout``: seconds, 0 for none; ``when``: the step that says whether to run
        at all; ``run``: what `facts.of` gave, None if Airflow is to be asked for it.
        """
        super().__init__()
        self.arguments: dict[str, Any] = {
            "step": step,
            "release": release,
            "size": size,
            "timeout": timeout,
            "when": when,
            "run": run,
        }
        self.run_facts = run
        self.job: Job | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what the triggerer makes it of again."""
        return f"{type(self).__module__}.{type(self).__qualname__}", self.arguments

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:
        """Take what Airflow says of the run; there are no templates here."""
        self.run_facts = facts.of(context)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield how the job ended, once."""
        step, when = self.arguments["step"], self.arguments["when"]
        if self.task_instance.dag_id != "{group}.{model}.{pipeline}".format(**step):
            raise ValueError("A DAG runs the steps of its own pipeline only.")
        self.job = self._job(shared(asyncio.get_running_loop()))
        try:
            if when and not facts.wanted(await self._told(self.job, when)):
                self._say(facts.UNWANTED)
                yield TaskSkippedEvent()
                return
            verdict = await self.job.run()
            told = await self._told(self.job, step["step"]) if verdict.done else {}
        except (IdentityError, RunsError) as error:
            verdict, told = Verdict(False, str(error)), {}
        if verdict.done:
            yield TaskSuccessEvent(xcoms={facts.TOLD: told} if told else None)
        else:
            self.log.error("%s", verdict.words)
            yield TaskFailedEvent()  # Airflow decides whether to try again
        _in_background(_discard_later(self.job))

    async def on_kill(self) -> None:
        """End the job: somebody has marked or cleared its task, or deleted its run."""
        if self.job:
            self.log.info("The task was cancelled; its job is removed.")
            # Airflow cancels this as well, about a second after it has called it.
            await asyncio.shield(_in_background(self.job.discard()))

    def _job(self, platform: Platform) -> Job:
        attempt = Attempt(**self.arguments["step"], **self.run_facts or {})
        release, size = Begun(**self.arguments["release"]), Size(**self.arguments["size"])
        return Job(platform, attempt, release, size, self._say, self.arguments["timeout"])

    def _say(self, line: str) -> None:
        self.log.info("%s", line)

    async def _told(self, job: Job, step: str) -> dict[str, Any]:
        """Give what a step of this run has told those who come after it."""
        return await job.platform.runs.told(job.attempt.directory, step)


@functools.cache
def shared(loop: asyncio.AbstractEventLoop) -> Platform:
    """Give what all jobs share that this event loop follows; it sweeps as long as it runs."""
    made = platform.make()
    _in_background(removal.sweep_for_ever(made))
    return made


async def _discard_later(job: Job) -> None:
    await asyncio.sleep(KEEP_SECONDS)
    await job.discard()


def _in_background(work: Any) -> "asyncio.Task[None]":
    task = asyncio.get_running_loop().create_task(work)
    BACKGROUND.add(task)
    task.add_done_callback(BACKGROUND.discard)
    return task
