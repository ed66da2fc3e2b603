"""Reads a table piece by piece, so that it may be larger than the memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from notehive.models.step.failure import Failed

ROWS = 200_000  # of a piece


def columns(file: Path) -> list[str]:
    """Give the names of a table's columns; raise Failed if it cannot be read."""
    return [str(name) for name in next(pieces(file, rows=1)).columns]


def pieces(file: Path, rows: int = ROWS) -> Iterator[pd.DataFrame]:
    """Give the rows of a CSV or Parquet file in pieces; at least one, if it is empty.

    Values of a CSV are text; "" is a missing one. Those of a Parquet file have their types.
    """
    try:
        if file.suffix == ".csv":
            yield from pd.read_csv(
                file, dtype=str, keep_default_na=False, na_values=[""], chunksize=rows
            )
        elif file.suffix == ".parquet":
            yield from _parquet(file, rows)
        else:
            raise Failed(f"{file.name}: is neither .parquet nor .csv")
    except FileNotFoundError:
        raise Failed(
            f"{file.name}: is not in the run's folder; an earlier step writes it"
        ) from None
    except (OSError, ValueError, pd.errors.ParserError) as error:  # pyarrow's errors are among them
        raise Failed(f"{file.name}: cannot be read: {str(error).splitlines()[0]}") from None


def _parquet(file: Path, rows: int) -> Iterator[Any]:
    import pyarrow.parquet as pq

    opened = pq.ParquetFile(file)
    if not opened.metadata.num_rows:
        yield opened.schema_arrow.empty_table().to_pandas(types_mapper=pd.ArrowDtype)
    for batch in opened.iter_batches(batch_size=rows):
        yield batch.to_pandas(types_mapper=pd.ArrowDtype)
