"""Rows that are sent to a table: a line of JSON that tells of them, then the rows as CSV.

What a user sends here are names and values, never SQL: a type is one of `TYPES`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Literal

from aiohttp.http_exceptions import LineTooLong
from aiohttp.streams import StreamReader
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from notehive.api.asking import RefusedError, parsed, refuse

Type = Literal["bigint", "boolean", "double precision", "text", "timestamp with time zone"]
RUN, INTERVAL = "run", "interval_start"  # by which a run finds its own rows again
MOST_COLUMNS = 500
LONGEST_NAME = 63  # bytes; PostgreSQL cuts off what is longer
LONGEST_LINE = 1 << 18  # that tells of the most columns with the longest names
MOST_BYTES = 1 << 30
PATIENCE_SECONDS = 60  # without anything of the rows


def column_name(name: str) -> str:
    """Give a name back that a column can have; raise ValueError for another."""
    if not 0 < len(name.encode()) <= LONGEST_NAME or not name.isprintable():
        raise ValueError(f"{name[:80]!r}: a name has 1 to {LONGEST_NAME} bytes, all printable")
    if name in (RUN, INTERVAL):
        raise ValueError(f"a column cannot be called {name}; rename it")
    return name


class Column(BaseModel):
    """A column of the rows."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, AfterValidator(column_name)]
    type: Type


def each_once(columns: list[Column]) -> list[Column]:
    """Give columns back whose names differ; raise ValueError for others."""
    names = [column.name for column in columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{twice[0]}: is there twice")
    return columns


class Told(BaseModel):
    """What the first line tells."""

    model_config = ConfigDict(extra="forbid")

    run: str = Field(min_length=1, max_length=250)
    interval_start: AwareDatetime | None = None
    columns: Annotated[
        list[Column], Field(min_length=1, max_length=MOST_COLUMNS), AfterValidator(each_once)
    ]


class Sent:
    """The body of a request, read as it comes."""

    def __init__(self, content: StreamReader) -> None:
        self._content, self._left = content, MOST_BYTES

    async def told(self) -> Told:
        """Read the first line; refuse what is none."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                line = await self._content.readline(max_line_length=LONGEST_LINE)
        except (ConnectionError, LineTooLong, TimeoutError):
            refuse(HTTPStatus.BAD_REQUEST, "the first line does not end")
        return parsed(line, Told)

    async def rows(self) -> AsyncIterator[bytes]:
        """Give the rest, in pieces; refuse more than `MOST_BYTES`, and silence."""
        while True:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    piece = await self._content.readany()
            except ConnectionError:
                refuse(HTTPStatus.BAD_REQUEST, "the rows have no end")  # nobody hears it
            except TimeoutError:
                refuse(HTTPStatus.REQUEST_TIMEOUT, f"nothing has come for {PATIENCE_SECONDS} s")
            if not piece:
                return
            self._left -= len(piece)
            if self._left < 0:
                said = f"more than {MOST_BYTES >> 20} MiB; leave out columns, or split the run"
                refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said)
            yield piece

    async def skip(self) -> None:
        """Read the rest: who sends hears why it was refused once all is sent, and not before."""
        with suppress(RefusedError):
            async for _ in self.rows():
                pass
