"""`notehive model check`: what would keep a project from being released."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from notehive.errors import BadInput


def command(
    directory: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The project; where you are if not given.")
    ] = Path(),
    as_json: Annotated[
        bool, typer.Option("--json", help="Say it as JSON: a list of problems.")
    ] = False,
) -> None:
    """Name all that would keep a project from being released. Changes and runs nothing."""
    from notehive.models.checks import check

    problems = check(directory)
    if as_json:
        print(json.dumps([asdict(problem) for problem in problems], indent=2))
    else:
        for problem in problems:
            print(problem)
    if problems and not as_json:
        plural = "s" if len(problems) > 1 else ""
        raise BadInput(f"{len(problems)} problem{plural}; nothing can be released before")
    if problems:
        raise typer.Exit(BadInput.exit_code)
    if not as_json:
        print("No problems.")
