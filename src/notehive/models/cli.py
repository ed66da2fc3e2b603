"""The command `notehive` of notebook servers and jobs: verbs, no logic, quick to start."""

import os
import sys

import typer

from notehive.errors import NotehiveError
from notehive.models.commands import champions, check, releases, repositories

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Notehive, from inside: your models.",
)
models = typer.Typer(no_args_is_help=True, help="Models: notebooks that are released and run.")
app.add_typer(models, name="model")
models.command("new")(repositories.new)
models.command("list")(repositories.list_models)
models.command("examples")(repositories.list_examples)
models.command("check")(check.command)
models.command("release")(releases.release)
models.command("status")(releases.status)
models.command("promote")(champions.promote)
models.command("rollback")(champions.rollback)
models.command("champions")(champions.champions)


@app.callback()
def common() -> None:
    """Options before every verb; there are none yet."""


def main() -> None:
    """Run the command; an error is one line, and the exit code says which kind."""
    try:
        app()
    except NotehiveError as error:
        if os.environ.get("NOTEHIVE_TRACEBACK"):
            raise
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None
