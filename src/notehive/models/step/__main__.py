"""Runs the step that the environment names, of the project in the working directory.

Ends with exit code 0 or 1; the last line of the log says why it is 1.
"""

import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from notehive.errors import NotehiveError
from notehive.lab import garbage
from notehive.models.project import Project, load
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


def stop(number: int, *_: Any) -> None:
    """End what is being done, at a signal."""
    signal.signal(number, signal.SIG_IGN)
    raise Stopped("the step was told to end")


def main() -> int:
    """Run the step; give the exit code."""
    garbage.put_off()
    os.dup2(1, 2)  # one stream: nothing may come after the last line
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log = Log()
    try:
        run(Job.read(os.environ), load(Path()), log)
    except (Failed, NotehiveError, Stopped) as error:
        log.say(str(error))
        return 1
    except Exception as error:
        traceback.print_exc()
        log.say(f"{type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # At once: what is left in threads and event loops would only speak after the last line.
    os._exit(code)
