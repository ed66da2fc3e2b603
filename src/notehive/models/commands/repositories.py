"""The verbs of repositories: `notehive model new`, `notehive model list`, and of examples."""

import json
import subprocess
from pathlib import Path
from typing import Annotated, Any

import typer

from notehive.errors import BadInput, NotehiveError
from notehive.models.client import ask
from notehive.models.new import TEMPLATE, example, examples, make


def new(
    name: Annotated[str, typer.Argument(help="Its name: lower-case letters, digits, dashes.")],
    group: Annotated[
        str, typer.Option(help="Whose it is to be; the only group of yours if left out.")
    ] = "",
    like: Annotated[
        str,
        typer.Option(
            "--example", help="Begin with this one of `notehive model examples`, not the template."
        ),
    ] = "",
) -> None:
    """Make a model's repository, and a project from the template in a folder of its name."""
    directory = Path(name)
    source = example(like) if like else TEMPLATE
    if directory.exists():
        raise BadInput(f"{name}: is here already; go to another folder, or choose another name")
    made = ask("POST", "/models", {"name": name, "group": group})
    git("clone", "--quiet", "--", made["clone_url"], name)
    make(directory, name, source)
    git("-C", name, "add", "--all")
    git(
        "-C",
        name,
        "commit",
        "--quiet",
        "--message",
        f"The example {like}" if like else "The template",
    )
    typer.echo(f"{made['group']}/{made['name']}: {made['page']}")
    typer.echo(f"Next: cd {name}, look at README.md, and git push")


def list_examples() -> None:
    """List the examples that `notehive model new NAME --example EXAMPLE` begins with."""
    for name, about in examples().items():
        typer.echo(f"{name}\n  {about}")


def git(*args: str) -> None:
    """Run git. Raises NotehiveError with its last line if that fails."""
    done = subprocess.run(("git", *args), stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise NotehiveError(f"git {' '.join(args)}: {said[-1]}")


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
