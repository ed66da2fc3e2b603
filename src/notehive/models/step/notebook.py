"""Runs a notebook of the project as a step, and keeps it, whatever becomes of it."""

import json
import signal
import threading
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from notehive.lab.later import left_out, loaded_later
from notehive.models.step import parameters, tracking
from notehive.models.step.failure import Failed, Stopped
from notehive.models.step.job import Job
from notehive.models.step.log import Log

# Imported when they are needed: the kernel is started before all else, and starts meanwhile.
KERNEL, ENGINE, PAGE = (f"notehive.models.step.{name}" for name in ("kernel", "engine", "page"))

# What papermill imports for notebooks that are somewhere else.
LATER = ("pyarrow.fs:FileSelector:HadoopFileSystem", "requests")

# What jsonschema checks durations, colours and the like with. A notebook's schema has none.
FORMATS = (
    "fqdn",
    "isoduration",
    "jsonpointer",
    "rfc3339_validator",
    "rfc3986_validator",
    "uri_template",
    "webcolors",
)


def run(job: Job, name: str, pipeline: Mapping[str, Any], log: Log, *, tracked: bool) -> None:
    """Run the notebook ``name``, a path in the project, with parameters of its pipeline.

    Raise Failed with the reason if it fails, Stopped if the job is told to end meanwhile.
    """
    if not job.run_dir.is_dir():
        raise Failed(f"{job.run_dir}: is no folder; NOTEHIVE_RUN_DIR names that of the run")
    kept = job.run_dir / "notebooks" / f"{job.step}.ipynb"
    kept.parent.mkdir(exist_ok=True)
    kept.unlink(missing_ok=True)  # an earlier try's; MLflow has it
    values = {**pipeline, **job.parameters}
    run = tracking.begin(job, name, tracked=tracked)
    status = "FAILED"
    try:
        import_module(KERNEL)  # while MLflow answers
        _execute(Path(name), kept, {**values, **parameters.of_run(job)}, run, log)
        status = "FINISHED"
    except Stopped:
        status = "KILLED"
        raise
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what is left takes a moment
        _keep(run, kept, status, values, log)


def _execute(
    source: Path, kept: Path, values: Mapping[str, Any], run: tracking.Run, log: Log
) -> None:
    """Run a notebook in a kernel of its own and in its own folder, as JupyterLab does."""
    variables = run.variables()
    try:
        notebook = read(source)
        parameters.check(notebook, values)
        spec = notebook.get("metadata", {}).get("kernelspec", {})
        kernels = import_module(KERNEL)
        with kernels.Kernel(spec.get("name", "python3"), source.parent, variables) as kernel:
            with loaded_later(*LATER), left_out(*FORMATS):
                engine = import_module(ENGINE)
            if run.keeps:
                threading.Thread(target=import_module, args=(PAGE,), daemon=True).start()
            engine.execute(source, kept, values, kernel, log)
    except (Failed, Stopped) as error:
        raise type(error)(f"{source.name}, {error}") from None


def read(notebook: Path) -> dict[str, Any]:
    """Give a notebook as it is in its file; raise Failed if it is none."""
    try:
        found: dict[str, Any] = json.loads(notebook.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failed(f"which cannot be read: {error}") from None
    return found


def _keep(run: tracking.Run, kept: Path, status: str, values: Mapping[str, Any], log: Log) -> None:
    """Close the run, with the executed notebook and its page."""
    files = [kept] if kept.exists() and run.keeps else []
    try:
        if files:
            files.append(import_module(PAGE).write(kept))
    except Exception as error:  # outputs may be of any form, and the notebook itself is kept
        log.say(f"{kept.name}: no page could be made of it: {error}")
    try:
        run.end(status, files, values)
    except Failed as error:
        if status == "FINISHED":
            raise
        log.say(str(error))  # and then why the step did not get so far
    if files:
        log.say(f"executed notebook: {run.link(files[-1].name)}")
