"""A file of a run as rows of a table: what its columns hold, and its rows as CSV, in pieces."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv, parquet, types

from notehive.models import frames
from notehive.models.step.failure import Failed

ROWS = 50_000  # of a piece


@dataclass(frozen=True)
class Rows:
    """The rows of a file; of a Parquet file never all at once in the memory."""

    name: str  # of the file, for errors
    reader: Any  # a pyarrow.RecordBatchReader

    @property
    def columns(self) -> dict[str, str]:
        """Give the type in PostgreSQL of each column; raise Failed if one has none."""
        return {field.name: self._kind(field)[0] for field in self.reader.schema}

    def lines(self) -> Iterator[bytes]:
        """Give CSV as PostgreSQL reads it; raise Failed if the file is broken."""
        # Text is in quotes, and what is missing is nothing at all.
        options = csv.WriteOptions(include_header=False, quoting_style="needed")
        schema = pa.schema([(field.name, self._kind(field)[1]) for field in self.reader.schema])
        try:
            for batch in self.reader:
                piece = BytesIO()
                csv.write_csv(batch.cast(schema), piece, options)
                yield piece.getvalue()
        except (OSError, ValueError) as error:  # pyarrow's errors are among them
            raise Failed(f"{self.name}: cannot be read: {str(error).splitlines()[0]}") from None

    def _kind(self, field: Any) -> tuple[str, Any]:
        """Give the types of a column, in PostgreSQL and in what is written."""
        of = field.type.value_type if types.is_dictionary(field.type) else field.type
        kinds: list[tuple[Callable[[Any], bool], str, Any]] = [
            (types.is_boolean, "boolean", of),
            (types.is_integer, "bigint", pa.int64()),
            (types.is_floating, "double precision", pa.float64()),
            (types.is_timestamp, "timestamp with time zone", None),
            (is_text, "text", pa.large_string()),
        ]
        for fits, kind, written in kinds:
            if fits(of):
                return kind, written or pa.timestamp(of.unit, "UTC")
        raise Failed(f"{self.name}, column {field.name}: {field.type} has no type in a table")


def is_text(of: Any) -> bool:
    """Whether a column holds text, or nothing at all."""
    looks = (types.is_string, types.is_large_string, types.is_string_view, types.is_null)
    return any(look(of) for look in looks)


def read(file: Path, *, without: str) -> Rows:
    """Give the rows of a table's file, without one column; raise Failed if there are none."""
    if file.suffix != ".parquet" or not file.is_file():
        table = pa.Table.from_pandas(frames.read(file), preserve_index=False)
        names = [name for name in table.column_names if name != without]
        return Rows(file.name, table.select(names).to_reader(ROWS))
    try:
        opened = parquet.ParquetFile(file)
    except (OSError, ValueError) as error:
        raise Failed(f"{file.name}: cannot be read: {str(error).splitlines()[0]}") from None
    schema = opened.schema_arrow
    left_out = {without, *index_columns(schema)}
    names = [name for name in schema.names if name not in left_out]
    schema = pa.schema([schema.field(name) for name in names])
    batches = opened.iter_batches(ROWS, columns=names)
    return Rows(file.name, pa.RecordBatchReader.from_batches(schema, batches))


def index_columns(schema: Any) -> list[str]:
    """Give the columns that pandas has kept its index in, which is no data."""
    kept = (schema.pandas_metadata or {}).get("index_columns", [])
    return [name for name in kept if isinstance(name, str)]
