"""The step `promote`: challenger against champion on the same file, and the alias to the better."""

import math
from typing import Any

from notehive.models import frames, scores
from notehive.models.comparison import Contender, Verdict, judge, plot
from notehive.models.project import Project
from notehive.models.rest import Mlflow
from notehive.models.step.failure import Failed
from notehive.models.step.job import Job
from notehive.models.step.log import Log
from notehive.models.versions import CHALLENGER, CHAMPION, Versions

ROUNDS = 5  # as often others may change an alias while this step compares


def run(job: Job, project: Project, log: Log) -> None:
    """Compare, log both, and move the alias `champion` if the challenger wins.

    Whoever loses keeps no alias. Done again, it finds no challenger and changes nothing.
    """
    if project.promote is None:
        raise Failed("model.yml, promote: is missing; it names the metric and the data")
    versions = Versions(Mlflow.of_environment(), job.model)
    for _ in range(ROUNDS):
        before = _holders(versions)
        if not before[CHALLENGER]:
            if not before[CHAMPION]:
                raise Failed(f"model {job.model}: no version has the alias {CHALLENGER}")
            log.say(f"version {before[CHAMPION]} stays champion: there is no challenger")
            return
        contenders = _contenders(job, project.promote, before, log)
        verdict = judge(
            contenders[CHALLENGER],
            contenders.get(CHAMPION),
            project.promote.metric,
            project.promote.goal,
            project.promote.min_gain,
        )
        if _holders(versions) != before:
            log.say("another step has moved an alias meanwhile: comparing again")
            continue
        _record(job, project.promote, contenders, verdict)
        _conclude(job, versions, before, verdict, log)
        return
    raise Failed(f"model {job.model}: its aliases change faster than they can be compared")


def _holders(versions: Versions) -> dict[str, str | None]:
    """Give the versions of both roles. One that is both has no one to be compared with."""
    found = {role: versions.holder(role) for role in (CHALLENGER, CHAMPION)}
    challenger = found[CHALLENGER]
    if challenger and challenger == found[CHAMPION]:
        versions.dismiss(challenger)
        found[CHALLENGER] = None
    return found


def _contenders(
    job: Job, settings: Any, holders: dict[str, str | None], log: Log
) -> dict[str, Contender]:
    """Have each version predict on the held-out file; give them with their metrics."""
    import mlflow.pyfunc

    frame = frames.read(job.run_dir / settings.data)
    if settings.target not in frame:
        have = ", ".join(map(str, frame.columns))
        raise Failed(f"{settings.data}: has no column {settings.target}; it has {have}")
    features, truth = frame.drop(columns=settings.target), frame[settings.target]
    if truth.empty:
        raise Failed(f"{settings.data}: has no rows")
    if truth.isna().any():
        raise Failed(f"{settings.data}: {settings.target} is missing in {truth.isna().sum()} rows")
    found = {}
    for role, version in holders.items():
        if version is None:
            continue
        try:
            model = mlflow.pyfunc.load_model(f"models:/{job.model}/{version}")
            predicted = scores.predict(model, features, truth, settings.metric)
        except Failed as error:
            raise Failed(f"{settings.data}: {error}: version {version}, the {role}") from None
        except Exception as error:  # the model's own code
            text = str(error).splitlines()[0] if str(error) else ""
            raise Failed(
                f"version {version}, the {role}, cannot predict from {settings.data}: "
                f"{type(error).__name__}: {text}"
            ) from error
        found[role] = Contender(version, predicted, scores.score(predicted, settings.metric))
        shown = ", ".join(f"{key} {value:.4g}" for key, value in found[role].metrics.items())
        log.say(f"version {version}, the {role}: {shown}")
    return found


def _record(job: Job, settings: Any, contenders: dict[str, Contender], verdict: Verdict) -> None:
    """Log both sets of metrics and the plot to the experiment of comparisons."""
    import mlflow

    mlflow.set_experiment(f"{job.model}-comparisons")
    names = " against ".join(contender.version for contender in contenders.values())
    with mlflow.start_run(run_name=names):
        mlflow.set_tags({"notehive.run": job.run, "notehive.why": verdict.why})
        mlflow.log_params(
            {
                **{role: contender.version for role, contender in contenders.items()},
                "metric": settings.metric,
                "goal": settings.goal,
                "min_gain": settings.min_gain,
                "data": settings.data,
                "promoted": verdict.wins,
            }
        )
        metrics = {
            f"{role}_{name}": value
            for role, contender in contenders.items()
            for name, value in contender.metrics.items()
        }
        metrics["gain"] = verdict.gain
        known = {name: value for name, value in metrics.items() if not math.isnan(value)}
        mlflow.log_metrics(known)
        mlflow.log_figure(plot(contenders), "comparison.png")


def _conclude(
    job: Job, versions: Versions, holders: dict[str, str | None], verdict: Verdict, log: Log
) -> None:
    challenger = str(holders[CHALLENGER])
    if verdict.wins:
        versions.crown(challenger, f"the step promote of run {job.run}", verdict.why)
        log.say(f"version {challenger} is champion: {verdict.why}")
        return
    versions.dismiss(challenger)
    if holders[CHAMPION] is None:
        raise Failed(f"version {challenger} cannot be champion: {verdict.why}")
    log.say(f"version {holders[CHAMPION]} stays champion: version {challenger}: {verdict.why}")
