"""The step `validate`: data against a schema file, by column and row."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from .conftest import built
from .containers import Container, Containers

COLUMNS = {
    "customer": {"type": "integer", "unique": True},
    "age": {"type": "integer", "min": 18, "max": 120},
    "income": {"type": "number", "min": 0, "nullable": True},
    "plan": {"type": "text", "values": ["basic", "pro"]},
    "zip": {"type": "text", "pattern": "[0-9]{5}"},
    "churned": {"type": "boolean"},
    "joined": {"type": "date", "required": False},
}
HEADER = "customer,age,income,plan,zip,churned,joined"
GOOD = [
    "1,18,10.5,basic,01234,true,2026-01-31",
    "2,120,,pro,99999,false,2026-02-28T10:00:00",
]
LARGE = "9007199254740993,30,1,pro,00000,1,2026-01-01"  # one that floats do not have
# Each is said of a file that is right in all else.
BAD = [
    (["3,17,1,pro,00000,true,2026-01-01"], "column age: is less than 18 in 1 rows (row 2: 17)"),
    (["3,old,1,pro,00000,true,2026-01-01"], "column age: is no integer in 1 rows (row 2: old)"),
    (["3,1.5,1,pro,00000,true,2026-01-01"], "column age: is no integer in 1 rows (row 2: 1.5)"),
    (["3,,1,pro,00000,true,2026-01-01"], "column age: is missing in 1 rows (row 2: nothing)"),
    (["1,30,1,pro,00000,true,2026-01-01"], "column customer: is there twice in 1 rows (row 2: 1)"),
    (["3,30,1,free,00000,true,2026-01-01"], "column plan: is none of ['basic', 'pro'] in 1 rows"),
    (["3,30,1,pro,123456,true,2026-01-01"], "column zip: does not match [0-9]{5} in 1 rows"),
    (["3,30,1,pro,00000,perhaps,2026-01-01"], "column churned: is no boolean in 1 rows"),
    (["3,30,1,pro,00000,true,31.01.2026"], "column joined: is no date in 1 rows"),
    (
        [f"{number},10,1,pro,00000,true,2026-01-01" for number in range(3, 10)],
        "column age: is less than 18 in 7 rows "
        "(row 2: 10; row 3: 10; row 4: 10; row 5: 10; row 6: 10; ...)",
    ),
]
EXAMINE = """
import json, sys
from pathlib import Path
from notehive.models import chunks, data_schema, validate
chunks.ROWS = 2
file = Path(sys.argv[1])
schema = data_schema.Schema(data=file.name, **json.loads(sys.argv[2]))
print(json.dumps(validate.examine(file, schema)))
"""


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    containers = Containers()
    try:
        yield containers.idle(built("notebooks-datascience"))
    finally:
        containers.remove()


def examined(container: Container, name: str, content: str, **schema: Any) -> tuple[int, list[str]]:
    """Number of rows and findings of a CSV file; as Parquet if the name says so."""
    container.write("/tmp/data.csv", content.encode())
    container.write("/tmp/examine.py", EXAMINE.encode())
    if name.endswith(".parquet"):
        container.python(
            "import pandas as pd; frame = pd.read_csv('/tmp/data.csv', dtype={'zip': str})\n"
            "frame['joined'] = pd.to_datetime(frame['joined'], format='ISO8601')\n"
            f"frame.to_parquet('/tmp/{name}')"
        )
    given = json.dumps({"columns": COLUMNS, **schema})
    rows, lines = json.loads(container.sh(f"python3 /tmp/examine.py /tmp/{name} '{given}'"))
    return rows, lines


def csv(*lines: str) -> str:
    return "\n".join([HEADER, *GOOD, *lines]) + "\n"


@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
def test_good_data(container: Container, name: str) -> None:
    assert examined(container, name, csv()) == (2, [])


def test_large_numbers_are_kept_apart(container: Container) -> None:
    other = LARGE.replace("993,", "992,")
    assert examined(container, "data.csv", csv(LARGE, other)) == (4, [])


@pytest.mark.parametrize(("lines", "said"), BAD)
def test_bad_data(container: Container, lines: list[str], said: str) -> None:
    rows, found = examined(container, "data.csv", csv(*lines))
    assert rows == 2 + len(lines)
    assert len(found) == 1
    assert found[0].startswith(said)


def test_a_column_of_parquet_has_a_type(container: Container) -> None:
    _, found = examined(container, "data.parquet", csv("3,old,1,pro,00000,true,2026-01-01"))
    assert found == ["column age: is large_string, not integer"] or found == [
        "column age: is string, not integer"
    ]


def test_columns_that_are_missing_or_too_many(container: Container) -> None:
    content = "customer,income,plan,zip,churned,shoes\n1,1,pro,00000,true,44\n"
    _, found = examined(container, "data.csv", content, other_columns=False)
    assert found == [
        "column age: is missing; there are customer, income, plan, zip, churned, shoes",
        "column shoes: is not in the schema",
    ]


def test_too_few_rows(container: Container) -> None:
    assert examined(container, "data.csv", HEADER + "\n") == (0, ["rows: 0, of at least 1"])
    assert examined(container, "data.csv", csv(), rows=3) == (2, ["rows: 2, of at least 3"])


def step(container: Container, schema: object, content: str) -> tuple[int, list[str]]:
    """Exit code and log of the step, for a project with this schema file."""
    project = {
        "name": "churn",
        "image": "datascience",
        "size": "small",
        "schema": "schema.yml",
        "pipelines": {"etl": {"steps": ["validate"]}},
    }
    container.write("/tmp/model/model.yml", yaml.safe_dump(project).encode())
    container.write("/tmp/model/schema.yml", yaml.safe_dump(schema).encode())
    container.sh("rm -rf /tmp/run; mkdir -p /tmp/run")
    container.write("/tmp/run/data.csv", content.encode())
    names = ("COMMIT", "DATA_INTERVAL_END", "DATA_INTERVAL_START", "IMAGE", "LOGICAL_DATE")
    given = {
        **{f"NOTEHIVE_{name}": "" for name in names},
        "NOTEHIVE_GROUP": "lab",
        "NOTEHIVE_MODEL": "churn",
        "NOTEHIVE_PARAMETERS": "{}",
        "NOTEHIVE_PIPELINE": "etl",
        "NOTEHIVE_RUN": "manual__1",
        "NOTEHIVE_RUN_DIR": "/tmp/run",
        "NOTEHIVE_STEP": "validate",
        "NOTEHIVE_TRY": "1",
    }
    env = " ".join(f"{name}='{value}'" for name, value in given.items())
    run = f"cd /tmp/model && env {env} python3 -P -m notehive.models.step; echo $?"
    *log, code = container.sh(run).splitlines()
    return int(code), log


def test_the_step(container: Container) -> None:
    schema = {"data": "data.csv", "columns": COLUMNS}
    code, log = step(container, schema, csv())
    assert (code, log[-1]) == (0, "data.csv: 2 rows are as schema.yml says")
    told = json.loads(container.sh("cat /tmp/run/.notehive/data.json"))
    assert len(told["data.csv"]) == 32

    code, log = step(container, schema, csv("3,17,1,free,00000,true,2026-01-01"))
    assert code == 1
    assert (
        log[-1]
        == "data.csv, column age: is less than 18 in 1 rows (row 2: 17), and 1 findings more"
    )
    assert [line.partition(" in ")[0] for line in log[:-1]] == [
        "data.csv, column age: is less than 18",
        "data.csv, column plan: is none of ['basic', 'pro']",
    ]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ([], "schema.yml, the whole file: "),
        ({"data": "data.csv"}, "schema.yml, columns: Field required"),
        (
            {"data": "data.csv", "columns": {"a": {"type": "int"}}},
            "schema.yml, columns.a.type: Input should be 'integer', 'number', 'text'",
        ),
        (
            {"data": "data.csv", "columns": {"a": {"type": "text", "min": 1}}},
            "schema.yml, columns.a: Value error, min and max are for numbers",
        ),
        (
            {"data": "data.csv", "columns": {"a": {"type": "text", "pattern": "("}}},
            "schema.yml: pattern '(': ",
        ),
        (
            {"data": "data.txt", "columns": {"a": {"type": "text"}}},
            "data.txt: is neither .parquet nor .csv",
        ),
        (
            {"data": "other.csv", "columns": {"a": {"type": "text"}}},
            "other.csv: is not in the run's folder; an earlier step writes it",
        ),
    ],
)
def test_a_bad_schema_is_named(container: Container, schema: object, said: str) -> None:
    code, log = step(container, schema, csv())
    assert code == 1
    assert log[-1].startswith(said)
