"""The step `publish-table`: predictions into the model's table, by the platform's API."""

import json
from itertools import chain

from notehive.models import client
from notehive.models.project import Project
from notehive.models.step.failure import Failed
from notehive.models.step.job import Job
from notehive.models.step.log import Log

RUN, INTERVAL = "run", "interval_start"  # columns that the table has by itself


def run(job: Job, project: Project, log: Log) -> None:
    """Copy the predictions of this run; done again, the run's rows are replaced."""
    if project.predict is None:
        raise Failed("model.yml, predict: is missing; it names the file of predictions")
    from notehive.models import rows

    name = project.predict.output
    found = rows.read(job.run_dir / name, without=RUN)
    columns = found.columns
    if INTERVAL in columns:
        raise Failed(f"{name}: a column cannot be called {INTERVAL}; rename it")
    told = {
        RUN: job.run,
        INTERVAL: job.data_interval_start,
        "columns": [{"name": column, "type": kind} for column, kind in columns.items()],
    }
    line = json.dumps(told).encode() + b"\n"
    place = f"/models/{job.group}/{job.model}/table/rows"
    done = client.send("PUT", place, chain([line], found.lines()), "text/csv")
    log.say(f"{done['rows']} rows of {name} are in the table {done['table']}")
