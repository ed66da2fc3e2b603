"""The step `validate`: the data is what the schema file says, or the run ends here."""

import hashlib
from pathlib import Path
from typing import Any

from notehive.models.project import Project
from notehive.models.step import notes
from notehive.models.step.failure import Failed
from notehive.models.step.job import Job
from notehive.models.step.log import Log


def run(job: Job, project: Project, log: Log) -> None:
    """Check the file that the schema names, and tell later steps its version."""
    from notehive.models import data_schema

    if project.schema_file is None:
        raise Failed("model.yml, schema: is missing; it names the file with the columns and types")
    schema = data_schema.load(Path(project.schema_file))
    file = job.run_dir / schema.data
    rows, lines = examine(file, schema)
    if lines:
        for line in lines:
            log.say(f"{schema.data}, {line}")
        more = f", and {len(lines) - 1} findings more" if len(lines) > 1 else ""
        raise Failed(f"{schema.data}, {lines[0]}{more}")
    notes.add_data(job.run_dir, schema.data, _digest(file))
    log.say(f"{schema.data}: {rows} rows are as {project.schema_file} says")


def examine(file: Path, schema: Any) -> tuple[int, list[str]]:
    """Check a file against a schema; give its number of rows, and a line for each finding."""
    from notehive.models import chunks
    from notehive.models.checker import Checker

    checker = Checker(schema)
    for piece in chunks.pieces(file):
        checker.check(piece, is_text=file.suffix == ".csv")
        if checker.is_hopeless:
            break
    return checker.rows, checker.lines()


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:32]
