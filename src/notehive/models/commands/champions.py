"""The verbs of champions: `notehive model promote`, `model rollback`, `model champions`."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from notehive.errors import BadInput, NotehiveError
from notehive.models.client import known
from notehive.models.commands.releases import here

if TYPE_CHECKING:
    from notehive.models.champions import Change
    from notehive.models.versions import Versions

EVERYONE = "everyone"  # the group whose models are in MLflow's own workspace
LONGEST_REASON = 500
Model = Annotated[str, typer.Argument(help="GROUP/NAME, or NAME in your server's own group.")]
Reason = Annotated[str, typer.Option(prompt="Why", help="Why; it is kept with your name.")]


def promote(
    model: Model,
    reason: Reason,
    version: Annotated[str, typer.Argument(help="A version; the challenger if left out.")] = "",
) -> None:
    """Make a version of a model its champion."""
    if version and not version.isdigit():
        raise BadInput(f"{version}: is no version; versions are numbers, as MLflow shows them")
    why, who = checked(reason), known("JUPYTERHUB_USER")
    with versions_of(model) as versions:
        from notehive.models.versions import CHALLENGER, CHAMPION

        versions.changes()  # which says whether there is such a model
        chosen = version or versions.holder(CHALLENGER)
        if not chosen:
            raise BadInput(f"{model}: no version has the alias {CHALLENGER}; name a version")
        versions.require(chosen)
        before = versions.holder(CHAMPION)
        if before == chosen:
            raise BadInput(f"{model}: version {chosen} is the champion already")
        versions.crown(chosen, who, why)
    after = f", after version {before}" if before else ""
    typer.echo(f"{model}: version {chosen} is champion{after}")


def rollback(model: Model, reason: Reason) -> None:
    """Make the version champion that was it before; done again, the one before that."""
    why, who = checked(reason), known("JUPYTERHUB_USER")
    with versions_of(model) as versions:
        typer.echo(f"{model}: version {versions.roll_back(who, why)} is champion again")


def champions(
    model: Annotated[str, typer.Argument(help="As above; that of this folder if left out.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say which version was made champion when, by whom and why; the last change first."""
    with versions_of(model or here()) as versions:
        changes = versions.changes()[::-1]
    if as_json:
        typer.echo(json.dumps([change._asdict() for change in changes], indent=1))
    for change in () if as_json else changes:
        typer.echo(line(change))


def checked(reason: str) -> str:
    """Give a reason as one line. Raises BadInput for none, and for a tale."""
    found = " ".join(reason.split())
    if not 0 < len(found) <= LONGEST_REASON:
        raise BadInput(f"--reason: say in 1 to {LONGEST_REASON} characters why")
    return found


@contextmanager
def versions_of(model: str) -> Iterator["Versions"]:
    """Give the versions of a model, asked for with the user's token.

    Raises NotehiveError for what MLflow refuses, and what fails.
    """
    from notehive.models.rest import Mlflow, Refused
    from notehive.models.step.failure import Failed
    from notehive.models.versions import NOT_THERE, Versions

    group, _, name = model.rpartition("/")
    own = os.environ.get("MLFLOW_WORKSPACE", "")
    workspace = {"": own, EVERYONE: ""}.get(group, group)
    token = os.environ.get("MLFLOW_TRACKING_TOKEN", "")
    try:
        yield Versions(Mlflow(known("MLFLOW_TRACKING_URI"), token, workspace), name)
    except Failed as error:
        raise NotehiveError(str(error)) from None
    except Refused as error:
        if error.code == "PERMISSION_DENIED" or str(error).startswith("403 "):
            # It says the same of a model that is not there.
            said = "there is no such model, or it is not of a group of yours"
            raise NotehiveError(f"{model}: MLflow refuses it ({error}); {said}") from None
        if error.code in NOT_THERE:
            said = f"{model}: MLflow has no such model ({error}); a training run registers one"
            raise BadInput(said) from None
        raise NotehiveError(f"{model}: MLflow: {error}") from None


def line(change: "Change") -> str:
    """Give a change as a line: when, which version, after which, by whom and why."""
    before = f" after {change.before}" if change.before else ""
    when = f"{change.at[:19]}  version {change.version} {change.how}{before}"
    return f"{when}  {change.by}: {change.why}"
