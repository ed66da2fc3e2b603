"""What the data must be: the schema file of a project, and its checks by pandera."""

import re
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from notehive.models.step.failure import Failed

Type = Literal["integer", "number", "text", "boolean", "date"]
# pandas's types that know of values that are missing.
PANDAS = {
    "integer": "Int64",
    "number": "Float64",
    "text": "string",
    "boolean": "boolean",
    "date": "datetime64[us]",
}


class Column(BaseModel):
    """What the values of a column must be."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Type
    min: float | None = None
    max: float | None = None
    values: list[str | int | float | bool] | None = Field(None, min_length=1)
    pattern: str | None = None
    nullable: bool = False
    unique: bool = False
    required: bool = True

    @model_validator(mode="after")
    def _agree(self) -> "Column":
        if self.type not in ("integer", "number") and (self.min, self.max) != (None, None):
            raise ValueError("min and max are for numbers")
        if self.pattern is not None:
            if self.type != "text":
                raise ValueError("pattern is for text")
            re.compile(self.pattern)
        return self


class Schema(BaseModel):
    """What a file of data must be."""

    model_config = ConfigDict(extra="forbid", strict=True)

    data: str  # relative to the run's folder
    columns: dict[str, Column] = Field(min_length=1)
    other_columns: bool = True  # whether there may be columns that are not named here
    rows: int = Field(1, ge=0)  # at least


def load(file: Path) -> Schema:
    """Give what a schema file says; raise Failed with the place of the first mistake."""
    try:
        return Schema.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise Failed(f"{file.name}: is missing; model.yml names it") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Failed(f"{file.name}: is no YAML: {str(error).splitlines()[0]}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole file"
        raise Failed(f"{file.name}, {place}: {first['msg']}") from None
    except re.error as error:
        raise Failed(f"{file.name}: pattern {error.pattern!r}: {error}") from None


def pandera_schema(schema: Schema) -> Any:
    """Give the same as pandera has it. That values are unique is for whoever sees all of them."""
    import pandera.pandas as pa

    def checks(column: Column) -> list[Any]:
        found = []
        if column.min is not None:
            found.append(pa.Check.ge(column.min, error=f"is less than {column.min:g}"))
        if column.max is not None:
            found.append(pa.Check.le(column.max, error=f"is more than {column.max:g}"))
        if column.values is not None:
            found.append(pa.Check.isin(column.values, error=f"is none of {column.values}"))
        if column.pattern is not None:
            error = f"does not match {column.pattern}"
            found.append(pa.Check.str_matches(rf"(?:{column.pattern})\Z", error=error))
        return found

    return pa.DataFrameSchema(
        {
            name: pa.Column(PANDAS[column.type], checks(column), nullable=True, required=False)
            for name, column in schema.columns.items()
        }
    )
