"""The verbs of repositories: `notehive model new`, `notehive model list`."""

import json
import subprocess
from pathlib import Path
from typing import Annotated, Any

import typer

from notehive.errors import BadInput, NotehiveError
from notehive.models.client import ask


def new(
    name: Annotated[str, typer.Argument(help="Its name: lower-case letters, digits, dashes.")],
    group: Annotated[
        str, typer.Option(help="Whose it is to be; the only group of yours if left out.")
    ] = "",
) -> None:
    """Make the repository of a model, and clone it into a folder of its name."""
    directory = Path(name)
    if directory.exists():
        raise BadInput(f"{name}: is here already; go to another folder, or choose another name")
    made = ask("POST", "/models", {"name": name, "group": group})
    clone(made["clone_url"], directory)
    typer.echo(f"{made['group']}/{made['name']}: {made['page']}")
    typer.echo(f"Next: cd {name}, write, git add, git commit, git push origin {made['branch']}")


def clone(url: str, directory: Path) -> None:
    """Clone a repository. Raises NotehiveError with git's last line."""
    command = ("git", "clone", "--quiet", "--", url, str(directory))
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"git ended with {done.returncode}"]
        raise NotehiveError(f"{url}: is there, but was not cloned: {said[-1]}")


def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the models that are open to you."""
    models = ask("GET", "/models")
    if as_json:
        typer.echo(json.dumps(models, indent=1))
    for model in () if as_json else models:
        typer.echo(line(model))


def line(model: dict[str, Any]) -> str:
    """Give a model as a line: whose, its name, and its last commit."""
    commit = model["commit"]
    last = f"{commit['time']}  {commit['author']}: {commit['subject']}" if commit else "(empty)"
    return f"{model['group']}/{model['name']}  {last}"
