"""The notebooks of a project, tried one after the other."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from notehive.models import graph
from notehive.models.graph import Task
from notehive.models.project import Project
from notehive.models.smoke import process
from notehive.models.smoke.clock import Clock
from notehive.models.smoke.order import is_tried, ordered
from notehive.models.step import running
from notehive.models.step.failure import Failed
from notehive.models.step.job import Job
from notehive.models.step.log import Log

RUN = "smoke"  # in place of Airflow's name of a run


class Trial:
    """Runs the steps of all pipelines, each pipeline with a run directory below ``folder``."""

    def __init__(self, project: Project, folder: Path, clock: Clock, log: Log) -> None:
        self._project, self._folder = untracked(project), folder
        self._clock, self._log = clock, log
        self._now = datetime.now(UTC).replace(microsecond=0)

    def run(self) -> None:
        """Run them; raise Failed with the reason of the first that fails."""
        for name in ordered(self._project.pipelines):
            (self._folder / name).mkdir()
            tasks = graph.tasks(self._project, name)
            for task in filter(is_tried, tasks):
                self._log.say(f"{name} / {task.run}")
                self._run(name, task)
            if left_out := [task.run for task in tasks if not is_tried(task)]:
                self._log.say(f"{name}: not tried here: {', '.join(left_out)}")

    def _run(self, pipeline: str, task: Task) -> None:
        def work() -> None:
            os.environ |= self.environment(pipeline, task)
            running.run(Job.read(os.environ), self._project, self._log)

        if why := process.run(task.run, work, self._clock, self._log):
            raise Failed(why)

    def environment(self, pipeline: str, task: Task) -> dict[str, str]:
        """Give what a job's environment says of a step: it is of a run for the last day."""
        before = self._now - timedelta(days=1)
        return {
            "NOTEHIVE_MODEL": self._project.name,
            "NOTEHIVE_PIPELINE": pipeline,
            "NOTEHIVE_STEP": task.name,
            "NOTEHIVE_RUN": RUN,
            "NOTEHIVE_TRY": "1",
            "NOTEHIVE_RUN_DIR": str(self._folder / pipeline),
            "NOTEHIVE_LOGICAL_DATE": before.isoformat(),
            "NOTEHIVE_DATA_INTERVAL_START": before.isoformat(),
            "NOTEHIVE_DATA_INTERVAL_END": self._now.isoformat(),
            "NOTEHIVE_PARAMETERS": json.dumps(self._project.pipelines[pipeline].smoke),
        }


def untracked(project: Project) -> Project:
    """Give a project whose steps have no run of MLflow around them: there is no server."""
    pipelines = {
        name: pipeline.model_copy(update={"tracking": False})
        for name, pipeline in project.pipelines.items()
    }
    return project.model_copy(update={"pipelines": pipelines})
