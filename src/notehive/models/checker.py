"""Checks a table, piece by piece, against a schema."""

from typing import Any

import pandas as pd
from pandera.errors import SchemaErrors

from notehive.models.data_schema import PANDAS, Schema, pandera_schema
from notehive.models.findings import Findings

WORDS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}
WHOLE = r"[+-]?\d{1,18}(\.0*)?"
# What Parquet calls the types: a column has one for all its rows.
STORED = {
    "integer": ("int", "uint"),
    "number": ("int", "uint", "float", "double", "halffloat", "decimal"),
    "text": ("string", "large_string", "dictionary"),
    "boolean": ("bool",),
    "date": ("timestamp", "date"),
}


class Checker:
    """Holds all pieces of a table against a schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema, self._checks = schema, pandera_schema(schema)
        self._found = Findings()
        self._seen: dict[str, set[Any]] = {
            name: set() for name, column in schema.columns.items() if column.unique
        }
        self.rows = 0
        self.is_hopeless = False  # columns are missing: there is no use in looking at more rows

    def check(self, piece: pd.DataFrame, *, is_text: bool) -> None:
        """Check the next rows. ``is_text``: they are of a CSV, where every value is text."""
        if not self.rows:
            self._check_columns(list(map(str, piece.columns)))
        piece = piece.set_axis(range(self.rows, self.rows + len(piece)))
        self.rows += len(piece)
        typed = {}
        for name, column in self._schema.columns.items():
            if name in piece:
                values = self._typed(name, piece[name], column.type, is_text=is_text)
                if values is not None:
                    typed[name] = values
                    self._check_missing(name, piece[name], column.nullable)
        frame = pd.DataFrame(typed, index=piece.index)
        for name, seen in self._seen.items():
            if name in frame:
                self._check_unique(name, frame[name].dropna(), seen)
        try:
            self._checks.validate(frame, lazy=True)
        except SchemaErrors as errors:
            for (name, rule), cases in errors.failure_cases.groupby(["column", "check"]):
                self._found.add(name, rule, list(cases["index"]), list(cases["failure_case"]))

    def lines(self) -> list[str]:
        """Say what was found, once all pieces were checked."""
        if self.rows < self._schema.rows and not self.is_hopeless:
            return [f"rows: {self.rows}, of at least {self._schema.rows}", *self._found.lines()]
        return self._found.lines()

    def _check_columns(self, names: list[str]) -> None:
        for name, column in self._schema.columns.items():
            if column.required and name not in names:
                self._found.add(name, f"is missing; there are {', '.join(names)}")
                self.is_hopeless = True
        if not self._schema.other_columns:
            for name in names:
                if name not in self._schema.columns:
                    self._found.add(name, "is not in the schema")

    def _typed(self, name: str, values: pd.Series, kind: str, *, is_text: bool) -> pd.Series | None:
        """Give values of the type that they must have; without those that have another."""
        if not is_text:
            stored = str(getattr(values.dtype, "pyarrow_dtype", values.dtype))
            if not stored.startswith(STORED[kind]) and not values.isna().all():
                self._found.add(name, f"is {stored}, not {kind}")
                return None
            return values.astype(PANDAS[kind])
        converted = _converted(values, kind)
        wrong = values.notna() & converted.isna()
        if wrong.any():
            self._found.add(name, f"is no {kind}", list(values.index[wrong]), list(values[wrong]))
        return converted

    def _check_missing(self, name: str, values: pd.Series, nullable: bool) -> None:
        if not nullable and (missing := values.isna()).any():
            rows = list(values.index[missing])
            self._found.add(name, "is missing", rows, ["nothing"] * len(rows))

    def _check_unique(self, name: str, values: pd.Series, seen: set[Any]) -> None:
        again = values.duplicated() | values.isin(seen)
        if again.any():
            rows = list(values.index[again])
            self._found.add(name, "is there twice", rows, list(values[again]))
        seen.update(values)


def _converted(values: pd.Series, kind: str) -> pd.Series:
    """Give text as values of a type; what is none of it is missing."""
    if kind == "text":
        return values.astype("string")
    if kind == "boolean":
        return values.map(WORDS).astype("boolean")
    if kind == "date":
        found = pd.to_datetime(values, errors="coerce", format="ISO8601", utc=True)
        return found.dt.tz_localize(None).astype(PANDAS["date"])
    if kind == "integer":  # by way of floats, large ones would become others
        whole = values.where(values.str.fullmatch(WHOLE).fillna(False).astype(bool))
        return whole.map(lambda text: int(text.partition(".")[0]), na_action="ignore").astype(
            "Int64"
        )
    return pd.to_numeric(values, errors="coerce").astype("Float64")
