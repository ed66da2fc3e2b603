"""The verbs of releases: `notehive model status`, `notehive model release`."""

import json
import re
import subprocess
from typing import Annotated, Any

import typer

from notehive.errors import BadInput, NotehiveError
from notehive.models.client import ask, follow

ORIGIN = re.compile(r"/git/([^/]+/[^/]+?)(?:\.git)?/?$")
Model = Annotated[str, typer.Argument(help="GROUP/NAME; that of this folder if left out.")]


def status(
    model: Model = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say what became of the last pushes."""
    releases = ask("GET", f"/models/{model or here()}/releases")
    if as_json:
        typer.echo(json.dumps(releases, indent=1))
    for release in () if as_json else releases:
        typer.echo(line(release))


def release(model: Model = "") -> None:
    """Release the last commit that was pushed once more, and show what is said."""
    last = ""
    for last in follow("POST", f"/models/{model or here()}/releases"):
        typer.echo(last)
    if not last.startswith("released"):
        raise NotehiveError("it was not released; see above why")


def here() -> str:
    """Give the model whose clone this folder is in. Raises BadInput if it is in none."""
    command = ("git", "remote", "get-url", "origin")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = ORIGIN.search(done.stdout.strip())
    if done.returncode or not found:
        raise BadInput("this folder is no clone of a model; go to one, or name it: GROUP/NAME")
    return found[1]


def line(release: dict[str, Any]) -> str:
    """Give a release as a line: when, which commit, whose push, and how it ended."""
    how = release.get("error") or release.get("image") or ""
    start = f"{release['time']}  {release['commit'][:12]}  {release['user']}  {release['state']}"
    return f"{start}  {how}".rstrip()
