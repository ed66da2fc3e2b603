"""The ways in which the same notebook is run: as a job, and in a bare container of its image."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from bench.factory import GROUP, SIZE
from notehive import docker
from notehive.jobs import service
from notehive.jobs.job import Job
from notehive.jobs.platform import Platform
from notehive.jobs.service import RUN_DIRECTORY, Begun
from notehive.jobs.step import Attempt
from tests.support.jobs import until

STEP = "work"
PAPERMILL = (
    *("papermill", "work.ipynb", f"{RUN_DIRECTORY}/work.ipynb"),
    *("-p", "run_dir", RUN_DIRECTORY),
)


class Times(NamedTuple):
    """Seconds of one run."""

    total: float  # as whoever started it waits
    inside: float  # of it from the start of the container's first process to its end


@dataclass(frozen=True)
class Ways:
    """The notebook of one released model, run in each way."""

    platform: Platform
    model: str
    begun: Begun

    async def as_job(self, pipeline: str, run: str) -> Times:
        """Run it by Notehive, from the first question to the verdict."""
        lines: list[str] = []
        attempt = self._attempt(pipeline, run)
        job = Job(self.platform, attempt, self.begun, SIZE, lines.append)
        began = time.monotonic()
        try:
            verdict = await job.run()
            total = time.monotonic() - began
            if not verdict.done:
                raise RuntimeError("\n".join([*lines, verdict.words]))
            [container] = docker.containers(job.name, ended=True)
            return Times(round(total, 3), inside(container))
        finally:
            await job.discard()
            await until("the end of the job", lambda: _is_gone(job.name))

    async def in_container(self, command: Sequence[str], run: str) -> Times:
        """Run a command by `docker run`, with all that a job has but its walls and its token."""
        name = f"{self.platform.config.stack}-bare-{run}"
        with tempfile.TemporaryDirectory() as directory:
            Path(directory).chmod(0o777)
            began = time.monotonic()
            process = await asyncio.create_subprocess_exec(
                *self._docker_run(name, directory, command),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            said, _ = await process.communicate()
            total = time.monotonic() - began
            try:
                if process.returncode:
                    raise RuntimeError(said.decode())
                return Times(round(total, 3), inside(name))
            finally:
                docker.output("rm", "--force", "--volumes", name)

    def _attempt(self, pipeline: str, run: str) -> Attempt:
        return Attempt(GROUP, self.model, pipeline, STEP, run, 1)

    def _docker_run(self, name: str, directory: str, command: Sequence[str]) -> list[str]:
        attempt = self._attempt("plain", name)
        request = service.build(self.platform.config, attempt, self.begun, SIZE, [])
        limits = request["task_template"]["Resources"]["Limits"]
        env = service.environment(self.platform.config, attempt, self.begun)
        return docker.command(
            *("run", "--name", name, "--init", "--cap-drop=ALL"),
            f"--cpus={limits['NanoCPUs'] / 1e9}",
            f"--memory={limits['MemoryBytes']}",
            f"--pids-limit={limits['Pids']}",
            f"--tmpfs=/dev/shm:size={limits['MemoryBytes'] // 2}",
            f"--volume={directory}:{RUN_DIRECTORY}",
            *(f"--env={key}={value}" for key, value in env.items()),
            self.begun.image,
            *command,
        )


def inside(container: str) -> float:
    """Give how long the first process of a container ran, which has ended (seconds)."""
    [found] = docker.inspect("container", container)
    began, ended = (moment(found["State"][f"{key}At"]) for key in ("Started", "Finished"))
    return round((ended - began).total_seconds(), 3)


def moment(text: str) -> datetime:
    """Give a time that the engine or Airflow has written."""
    return datetime.fromisoformat(text)


async def _is_gone(service: str) -> bool:
    return not docker.containers(service, ended=True)
