"""The database of tables: a schema for each group, in it a table for each model."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncConnection, sql

from notehive.api.asking import refuse
from notehive.api.sent import INTERVAL, MOST_COLUMNS, RUN, Told

CONNINFO = "host=postgres dbname=tables user=tables connect_timeout=10"
RECEIVED = sql.Identifier("pg_temp", "received")


class Place(NamedTuple):
    """Where a table is."""

    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


class Database:
    """Writes tables, as the role that owns all of them."""

    def __init__(self, conninfo: str = CONNINFO) -> None:
        self._conninfo = conninfo

    async def write(self, place: Place, told: Told, rows: AsyncIterator[bytes]) -> int:
        """Write rows in place of those of the same run, and of the same interval; give how many.

        All of them or none. Of one table, no two at once: each would not see the other's rows.
        """
        wanted: dict[str, str] = {column.name: column.type for column in told.columns}
        try:
            async with await AsyncConnection.connect(self._conninfo) as connection:
                known = await _columns(connection, place)
                _check(place, known, wanted)
                await _receive(connection, wanted, rows)
                # Locks others out, so not before all is here.
                await _prepare(connection, place, known, wanted)
                return await _replace(connection, place, told, list(wanted))
        except psycopg.OperationalError as error:
            said = f"table {place}: not now: {_reason(error)}; try again"
            refuse(HTTPStatus.SERVICE_UNAVAILABLE, said)
        except psycopg.Error as error:
            refuse(HTTPStatus.BAD_REQUEST, f"table {place}: {_reason(error)}")


async def _columns(connection: AsyncConnection[Any], place: Place) -> dict[str, str]:
    """Give the types of the columns of a table; none if it is not there."""
    found = await connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s",
        place,
    )
    return dict(await found.fetchall())


def _check(place: Place, known: dict[str, str], wanted: dict[str, str]) -> None:
    for name, kind in wanted.items():
        if known.get(name, kind) != kind:
            refuse(
                HTTPStatus.CONFLICT,
                f"table {place}, column {name}: is {known[name]} and would be {kind}; "
                "rename the column, or have an operator drop the table",
            )
    if len((known.keys() | wanted) - {RUN, INTERVAL}) > MOST_COLUMNS:
        said = f"table {place}: would have more than {MOST_COLUMNS} columns; keep to its columns"
        refuse(HTTPStatus.CONFLICT, said)


async def _receive(
    connection: AsyncConnection[Any], wanted: dict[str, str], rows: AsyncIterator[bytes]
) -> None:
    """Take the rows into a table of this connection alone, as they come."""
    made = sql.SQL("CREATE TEMPORARY TABLE received ({}) ON COMMIT DROP")
    await connection.execute(made.format(_definitions(wanted)))
    copy = sql.SQL("COPY {} FROM STDIN (FORMAT csv, ENCODING 'UTF8')").format(RECEIVED)
    async with connection.cursor() as cursor, cursor.copy(copy) as receiving:
        async for piece in rows:
            await receiving.write(piece)


async def _prepare(
    connection: AsyncConnection[Any], place: Place, known: dict[str, str], wanted: dict[str, str]
) -> None:
    """Make the table, or add the columns that it lacks."""
    columns = {**wanted, RUN: "text", INTERVAL: "timestamp with time zone"}
    schema = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(place.schema))
    await connection.execute(schema)
    if not known:
        made = sql.SQL("CREATE TABLE {} ({})")
        await connection.execute(made.format(sql.Identifier(*place), _definitions(columns)))
    elif added := {name: kind for name, kind in columns.items() if name not in known}:
        more = sql.SQL(", ").join(
            sql.SQL("ADD COLUMN {}").format(_definitions({name: kind}))
            for name, kind in added.items()
        )
        await connection.execute(sql.SQL("ALTER TABLE {} {}").format(sql.Identifier(*place), more))


async def _replace(
    connection: AsyncConnection[Any], place: Place, told: Told, names: list[str]
) -> int:
    table, run, interval = sql.Identifier(*place), sql.Identifier(RUN), sql.Identifier(INTERVAL)
    gone = sql.SQL("DELETE FROM {} WHERE {} = %s OR {} = %s").format(table, run, interval)
    await connection.execute(gone, (told.run, told.interval_start))
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    # Without parameters, whose marks a name could hold.
    values = sql.SQL("{}::text, {}::timestamptz").format(told.run, told.interval_start)
    added = sql.SQL("INSERT INTO {} ({}, {}, {}) SELECT {}, {} FROM {}")
    done = await connection.execute(
        added.format(table, columns, run, interval, columns, values, RECEIVED)
    )
    return done.rowcount


def _definitions(columns: dict[str, str]) -> sql.Composed:
    """Give columns as they are written where a table is made."""
    return sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
        for name, kind in columns.items()
    )


def _reason(error: psycopg.Error) -> str:
    """Give what PostgreSQL says is wrong, and with which row, in one line."""
    place = (error.diag.context or "").partition("\n")[0].removeprefix("COPY received, ")
    said = (error.diag.message_primary or str(error) or type(error).__name__).splitlines()[0]
    return f"{place}: {said}" if place else said
