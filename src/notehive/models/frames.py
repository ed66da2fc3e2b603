"""Tables of a run's folder: Parquet or CSV, by the file's name."""

from pathlib import Path
from typing import Any

from notehive.models.step.failure import Failed


def read(file: Path) -> Any:
    """Give a table as a pandas DataFrame; raise Failed if there is none in this file."""
    import pandas as pd

    readers = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
    if file.suffix not in readers:
        raise Failed(f"{file.name}: is neither .parquet nor .csv")
    try:
        return readers[file.suffix](file)
    except FileNotFoundError:
        raise Failed(
            f"{file.name}: is not in the run's folder; an earlier step writes it"
        ) from None
    except Exception as error:  # each reader has errors of its own
        raise Failed(f"{file.name}: cannot be read: {error}") from None
