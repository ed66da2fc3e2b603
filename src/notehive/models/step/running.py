"""A step of a project, run to its end, whatever that is."""

import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from notehive.errors import NotehiveError
from notehive.models.project import Project
from notehive.models.step import notebook
from notehive.models.step.failure import Failed, Stopped
from notehive.models.step.job import Job
from notehive.models.step.log import Log
from notehive.models.step.registry import steps


def run(job: Job, project: Project, log: Log) -> None:
    """Run a step of a project; raise Failed or Stopped if it does not end well."""
    pipeline = project.pipelines.get(job.pipeline)
    if pipeline is None:
        raise Failed(f"model.yml, pipelines: has no {job.pipeline}")
    step = next((step for step in pipeline.steps if step.name == job.step), None)
    if step is None:
        raise Failed(f"model.yml, pipelines, {job.pipeline}: has no step {job.step}")
    if step.run.endswith(".ipynb"):
        notebook.run(job, step.run, pipeline.parameters, log, tracked=pipeline.tracking)
    else:
        steps.handler(step.run)(job, project, log)


def reason(work: Callable[[], None]) -> str:
    """Do a step's work; give why it failed, nothing if it did not."""
    try:
        work()
    except (Failed, NotehiveError, Stopped) as error:
        return str(error) or type(error).__name__
    except Exception as error:
        traceback.print_exc()
        return f"{type(error).__name__}: {error}"
    return ""


def leave(why: str, log: Log) -> NoReturn:
    """End this process: with 0, or with 1 and why as the last line of the log.

    At once: what is left in threads and event loops would only speak after that line.
    """
    if why:
        log.say(why)
    sys.stdout.flush()
    os._exit(1 if why else 0)
