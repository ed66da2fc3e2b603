"""Tables of predictions: the step `publish-table`, the API that it asks, and PostgreSQL."""

import json
from collections.abc import Iterator

import pytest

from .containers import Containers, until
from .tables import GROUP, Tables


@pytest.fixture(scope="module")
def running() -> Iterator[Tables]:
    containers = Containers()
    try:
        yield Tables(containers)
    finally:
        containers.remove()


@pytest.fixture
def tables(running: Tables) -> Tables:
    """A database without any table."""
    running.ask(f"DROP SCHEMA IF EXISTS {GROUP} CASCADE")
    return running


TWO = "{'customer': [1, 2], 'plan': ['a', None], 'prediction': [0.5, 1.5]}"
ROWS = "SELECT customer, plan, prediction, run FROM lab.churn_2 ORDER BY run, customer"


# The step


def test_rows_of_a_run_are_there_once(tables: Tables) -> None:
    for _ in range(2):
        said = tables.publish(TWO)
        assert said == (0, "2 rows of predictions.parquet are in the table lab.churn_2")
    assert tables.ask(ROWS) == "1|a|0.5|manual__1\n2||1.5|manual__1"
    assert tables.publish("{'customer': [3], 'run': ['other']}", run="manual__2")[0] == 0
    assert tables.ask(ROWS).splitlines()[2:] == ["3|||manual__2"]


def test_rows_of_an_interval_are_there_once(tables: Tables) -> None:
    interval = {"NOTEHIVE_DATA_INTERVAL_START": "2026-01-01T00:00:00+00:00"}
    assert tables.publish(TWO, run="scheduled__1", **interval)[0] == 0
    assert tables.publish("{'customer': [9]}", run="backfill__1", **interval)[0] == 0
    assert tables.ask("SELECT customer, run FROM lab.churn_2") == "9|backfill__1"


def test_new_columns_are_added_and_other_types_refused(tables: Tables) -> None:
    assert tables.publish(TWO)[0] == 0
    assert tables.publish("{'customer': [3], 'region': ['north']}", run="manual__2")[0] == 0
    assert tables.ask("SELECT region FROM lab.churn_2 WHERE customer = 3") == "north"
    code, said = tables.publish("{'customer': ['four']}", run="manual__3")
    assert (code, said) == (
        1,
        "table lab.churn_2, column customer: is bigint and would be text; "
        "rename the column, or have an operator drop the table",
    )
    assert tables.ask("SELECT count(*) FROM lab.churn_2") == "3", "nothing of it was written"


def test_each_type_and_what_is_missing(tables: Tables) -> None:
    frame = (
        "{'flag': [True, False, None], 'kind': pd.Categorical(['a', None, '']),"
        " 'at': pd.to_datetime(['2026-01-01T01:00:00+01:00', None, None]),"
        " 'day': pd.to_datetime(['2026-01-02', None, None]), 'nothing': [None] * 3,"
        r""" 'text': ['a "b", c', '\n\\.\n', '']}, index=pd.Index([7, 8, 9], name='row'"""
    )
    assert tables.publish(f"{frame})")[0] == 0
    told = "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema="
    assert dict(line.split("|") for line in tables.ask(f"{told}'lab'").splitlines()) == {
        "flag": "boolean",
        "kind": "text",
        "at": "timestamp with time zone",
        "day": "timestamp with time zone",
        "nothing": "text",
        "text": "text",
        "run": "text",
        "interval_start": "timestamp with time zone",
    }
    values = "flag, kind, at AT TIME ZONE 'UTC', day AT TIME ZONE 'UTC', nothing, text"
    rows = tables.ask(f"SELECT json_agg(json_build_array({values})) FROM lab.churn_2")
    assert json.loads(rows) == [
        [True, "a", "2026-01-01T00:00:00", "2026-01-02T00:00:00", None, 'a "b", c'],
        [False, None, None, None, None, "\n\\.\n"],
        [None, "", None, None, None, ""],
    ]


@pytest.mark.parametrize(
    ("frame", "variables", "said"),
    [
        ("{'a': [1]}", {"NOTEHIVE_URL": ""}, "NOTEHIVE_URL is not set"),
        ("{'a': [[1]]}", {}, "predictions.parquet, column a: list<element: int64> has no type in"),
        ("{'interval_start': [1]}", {}, "predictions.parquet: a column cannot be called"),
        ("{'a': [1]}", {"NOTEHIVE_GROUP": "guild"}, "guild/churn-2: there is no such model, or"),
    ],
)
def test_what_cannot_be_published(
    tables: Tables, frame: str, variables: dict[str, str], said: str
) -> None:
    code, last = tables.publish(frame, **variables)
    assert code == 1
    assert last.startswith(said), last


# The API


@pytest.mark.parametrize(
    "name", ['a"b', "a; DROP SCHEMA lab", "%s", "%%", "{}", "Größe", "a b", "x" * 63, "select"]
)
def test_names_are_names(tables: Tables, name: str) -> None:
    for _ in range(2):
        assert tables.send({name: "text"}, b'"x"\n') == "{'table': 'lab.churn_2', 'rows': 1}"
    told = "SELECT ordinal_position, column_name FROM information_schema.columns WHERE"
    assert tables.ask(f"{told} table_schema='lab' ORDER BY 1").splitlines()[0] == f"1|{name}"


@pytest.mark.parametrize(
    ("columns", "rows", "said"),
    [
        ({"a": "bigint"}, b"1\nx\n", 'line 2, column a: "x": invalid input syntax for type bigint'),
        ({"a": "bigint"}, b"1,2\n", "extra data after last expected column"),
        ({"a": "bigint", "b": "text"}, b"1\n", 'missing data for column "b"'),
        ({"b": "text"}, b'"x\n', "unterminated CSV quoted field"),
        ({"b": "text"}, b'"\xff"\n', "invalid byte sequence"),
        ({"ctid": "text"}, b"", "conflicts with a system column name"),
    ],
)
def test_rows_that_are_none(
    tables: Tables, columns: dict[str, str], rows: bytes, said: str
) -> None:
    tables.send({"a": "bigint"}, b"7\n", run="before")
    answer = tables.send(columns, rows)
    assert answer.startswith("table lab.churn_2: ")
    assert said in answer
    assert tables.ask("SELECT a, run FROM lab.churn_2") == "7|before"


def test_who_sends_much_hears_why_it_is_refused(tables: Tables) -> None:
    tables.send({"a": "bigint"}, b"7\n")
    answer = tables.send({"a": "text"}, b'"x"\n' * 1000, times=5000)  # 20 MB
    assert "column a: is bigint and would be text" in answer
    assert tables.send({"a": "bigint"}, b"7\n" * 1000, times=1000).endswith("'rows': 1000000}")


def test_the_number_of_columns_has_an_end(tables: Tables) -> None:
    tables.send({"first": "text"}, b'"x"\n')
    many = {f"c{number}": "text" for number in range(500)}
    assert "would have more than 500 columns" in tables.send(many, b"")
    assert "at most 500 items" in tables.send({**many, "c500": "text"}, b"")


def test_rows_without_an_end_are_none(tables: Tables) -> None:
    """As of a job that is stopped while it sends."""
    script = (
        "import json, pathlib, socket, time\n"
        "told = json.dumps({'run': 'r', 'columns': [{'name': 'a', 'type': 'bigint'}]})\n"
        "piece = told.encode() + b'\\n1\\n2\\n'\n"
        "asked = socket.create_connection(('127.0.0.1', 8080))\n"
        "asked.sendall(b'PUT /notehive-api/models/lab/churn-2/table/rows HTTP/1.1\\r\\n'\n"
        "  b'Host: x\\r\\nContent-Type: text/csv\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n'\n"
        "  b'%x\\r\\n' % len(piece) + piece + b'\\r\\n')\n"
        "while not pathlib.Path('/tmp/end').exists(): time.sleep(0.1)\n"
    )
    tables.send({"a": "bigint"}, b"7\n", run="before")
    held = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'tables'"
    tables.files.write("/tmp/half.py", script.encode())
    tables.files.sh("python3 /tmp/half.py > /dev/null 2>&1 &")
    try:
        until(lambda: tables.ask(held) == "1", "the API receives rows")
    finally:
        tables.files.sh("touch /tmp/end")
    until(lambda: tables.ask(held) == "0", "the API has given up")
    assert tables.ask("SELECT a, run FROM lab.churn_2") == "7|before"
