"""The step `drift`: whether features are still those that the champion was trained with."""

import os
from pathlib import Path
from typing import Any

from notehive.models import frames
from notehive.models.project import Project
from notehive.models.rest import Mlflow
from notehive.models.step import notes, tracking
from notehive.models.step.failure import Failed
from notehive.models.step.job import Job
from notehive.models.step.log import Log
from notehive.models.versions import CHAMPION, Versions

REFERENCE = "reference/features.parquet"  # an artifact of the run that made the champion
FEWEST = 50  # rows; fewer say nothing about a distribution


def run(job: Job, project: Project, log: Log) -> None:
    """Compare, and tell `when: drifted` what was found. Without a champion, all has drifted."""
    settings = project.drift
    if settings is None:
        raise Failed("model.yml, drift: is missing; it names the file of the current features")
    versions = Versions(Mlflow.of_environment(), job.model)
    champion = versions.holder(CHAMPION)
    if champion is None:
        reason = f"model {job.model} has no champion yet"
        notes.write(job.run_dir, job.step, {"drifted": True, "reason": reason})
        log.say(f"drifted: {reason}")
        return
    # Heavy, and not needed before.
    from notehive.models.change import compare

    current = _enough(settings.current, frames.read(job.run_dir / settings.current))
    reference = _enough(f"{REFERENCE} of version {champion}", _reference(versions, champion))
    if missing := [str(name) for name in reference.columns if name not in current]:
        raise Failed(
            f"{settings.current}: has no column {', '.join(missing)}, which version {champion} "
            "was trained with"
        )
    columns = compare(reference, current, settings.ks_pvalue, settings.psi)
    drifted = [name for name, column in columns.items() if column.drifted]
    reason = f"{len(drifted)} of {len(columns)} columns: {', '.join(drifted)}".rstrip(": ")
    for name, column in columns.items():
        said = "drifted" if column.drifted else "as before"
        log.say(f"{name}: {said}, p-value {column.p_value:.3g}, index {column.psi:.3f}")
    told = {
        "drifted": bool(drifted),
        "reason": reason,
        "champion": champion,
        "rows": {"reference": len(reference), "current": len(current)},
        "limits": {"ks_pvalue": settings.ks_pvalue, "psi": settings.psi},
        "columns": {name: column._asdict() for name, column in columns.items()},
    }
    if project.pipelines[job.pipeline].tracking:
        _record(job, reference, current, told)
    notes.write(job.run_dir, job.step, told)
    log.say(f"{'drifted' if drifted else 'not drifted'}: {reason}")


def _enough(name: str, frame: Any) -> Any:
    if len(frame) < FEWEST:
        raise Failed(f"{name}: has {len(frame)} rows; at least {FEWEST} can be compared")
    return frame


def _reference(versions: Versions, champion: str) -> Any:
    """Give the features that the champion was trained with, as its training run kept them."""
    import mlflow.artifacts
    from mlflow.exceptions import MlflowException

    where = f"version {champion}, the champion"
    trained = versions.trained_by(champion)
    if not trained:
        raise Failed(f"{where}, was registered without a run, so it has no {REFERENCE}")
    try:
        file = mlflow.artifacts.download_artifacts(run_id=trained, artifact_path=REFERENCE)
    except (MlflowException, OSError):
        raise Failed(
            f"{where}: its run {trained} has kept no {REFERENCE}; the notebook that trains calls "
            "notehive.models.data.keep_reference(features)"
        ) from None
    return frames.read(Path(file))


def _record(job: Job, reference: Any, current: Any, told: dict[str, Any]) -> None:
    """Log the numbers, and the report as a page with plots, to a run of the step."""
    import mlflow
    from notehive.models import drift_report

    run = tracking.begin(job, job.step, tracked=True)
    status = "FAILED"
    os.environ.update(run.variables())
    try:
        with mlflow.start_run():
            mlflow.set_tag("notehive.drifted", told["drifted"])
            for name, column in told["columns"].items():
                key = drift_report.metric_name(name)
                found = {f"psi/{key}": column["psi"], f"p_value/{key}": column["p_value"]}
                mlflow.log_metrics(found)
            mlflow.log_text(drift_report.page(reference, current, told), "drift.html")
        status = "FINISHED"
    finally:
        run.end(status, [], {"champion": told["champion"], **told["limits"]})
