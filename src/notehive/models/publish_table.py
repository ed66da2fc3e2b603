"""The step `publish-table`: predictions into a table of the group's own schema in PostgreSQL."""

import os
from collections.abc import Callable
from typing import Any

from notehive.models import frames
from notehive.models.project import Project
from notehive.models.step.failure import Failed
from notehive.models.step.job import Job
from notehive.models.step.log import Log

URL = "NOTEHIVE_TABLES_URL"
TEXTS = ("string", "categorical", "empty")  # as pandas calls what it finds; empty: all missing
RUN, INTERVAL = "run", "interval_start"  # by which a run finds its own rows again


def run(job: Job, project: Project, log: Log) -> None:
    """Copy the predictions of this run; done again, the run's rows are replaced."""
    if project.predict is None:
        raise Failed("model.yml, predict: is missing; it names the file of predictions")
    if not os.environ.get(URL):
        raise Failed(f"{URL}: is not set; this site gives its groups no tables")
    import psycopg

    name = project.predict.output
    frame = frames.read(job.run_dir / name)
    if INTERVAL in frame:
        raise Failed(f"{name}: a column cannot be called {INTERVAL}; rename it")
    frame = frame.assign(**{RUN: job.run, INTERVAL: _moment(job.data_interval_start)})
    table = job.model.replace("-", "_")
    try:
        with psycopg.connect(os.environ[URL]) as connection:
            _prepare(connection, job.group, table, columns(name, frame))
            _replace(connection, job, table, frame)
    except psycopg.Error as error:
        raise Failed(f"table {job.group}.{table}: {str(error).strip().splitlines()[0]}") from None
    log.say(f"{len(frame)} rows of {name} are in the table {job.group}.{table}")


def columns(name: str, frame: Any) -> dict[str, str]:
    """Give the type in PostgreSQL of each column; raise Failed if one has none."""
    from pandas.api import types

    kinds: list[tuple[Callable[[Any], bool], str]] = [
        (types.is_bool_dtype, "boolean"),
        (types.is_integer_dtype, "bigint"),
        (types.is_float_dtype, "double precision"),
        (types.is_datetime64_any_dtype, "timestamp with time zone"),
        (lambda values: types.infer_dtype(values) in TEXTS, "text"),
    ]
    found = {}
    for column in frame.columns:
        fitting = (sql for fits, sql in kinds if fits(frame[column]))
        kind = next(fitting, None)
        if kind is None:
            raise Failed(f"{name}, column {column}: {frame[column].dtype} has no type in a table")
        found[str(column)] = kind
    return found


def _moment(text: str | None) -> Any:
    import pandas as pd

    return pd.to_datetime(text, utc=True) if text else pd.NaT


def _prepare(connection: Any, schema: str, table: str, wanted: dict[str, str]) -> None:
    """Make the table, or add the columns that it lacks; refuse to change the type of one."""
    from psycopg import sql

    place = sql.Identifier(schema, table)
    definitions = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
        for name, kind in wanted.items()
    )
    connection.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} ({})").format(place, definitions))
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s",
        (schema, table),
    )
    known = dict(rows.fetchall())
    for name, kind in wanted.items():
        if name not in known:
            added = sql.SQL("ALTER TABLE {} ADD COLUMN {} {}")
            connection.execute(added.format(place, sql.Identifier(name), sql.SQL(kind)))
        elif known[name] != kind:
            raise Failed(
                f"table {schema}.{table}, column {name}: is {known[name]} and would be {kind}; "
                "rename the column, or drop the table"
            )


def _replace(connection: Any, job: Job, table: str, frame: Any) -> None:
    """Write the rows in place of those of the same run, and of the same interval."""
    from psycopg import sql

    place = sql.Identifier(job.group, table)
    # Two at once would both find nothing to replace.
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(place))
    gone = sql.SQL("DELETE FROM {} WHERE {} = %s OR {} = %s")
    connection.execute(
        gone.format(place, sql.Identifier(RUN), sql.Identifier(INTERVAL)),
        (job.run, job.data_interval_start),
    )
    names = sql.SQL(", ").join(map(sql.Identifier, map(str, frame.columns)))
    copy = sql.SQL("COPY {} ({}) FROM STDIN").format(place, names)
    values = frame.astype(object).where(frame.notna(), None)
    with connection.cursor().copy(copy) as writing:
        for row in values.itertuples(index=False, name=None):
            writing.write_row(row)
