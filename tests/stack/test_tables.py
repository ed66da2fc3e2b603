"""Tables of predictions: a step in a user's server writes them, PostgreSQL has them."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.support.hub import user
from tests.support.owner import Owner
from tests.support.site import Site

MODEL_YML = """
name: {name}
image: datascience
size: small
pipelines:
  predict: {{steps: [publish-table]}}
predict: {{output: predictions.parquet}}
"""


@pytest.fixture(scope="module")
def tara(site: Site) -> Iterator[Owner]:
    with user(site, "tara", "--group", "lab") as tara:
        tara.start(image="datascience", size="small")
        yield Owner(site, tara)


@pytest.fixture
def model(tara: Owner) -> str:
    """A model of the group, with a folder of a run in its member's home."""
    name = f"m-{uuid4().hex[:10]}"
    body = {"name": name, "group": "lab"}
    code = f"from notehive.models.client import ask; ask('POST', '/models', {body})"
    tara.does(f'mkdir {name} && python3 -c "{code}"')
    tara.does(f"echo '{MODEL_YML.format(name=name)}' > model.yml", at=name)
    return name


def publish(tara: Owner, model: str, frame: str, *, run: str) -> tuple[int, str]:
    """Run the step as a job does, in the server; give its exit code and what it says."""
    told = {
        "COMMIT": "c0ffee",
        "DATA_INTERVAL_END": "",
        "DATA_INTERVAL_START": "",
        "GROUP": "lab",
        "IMAGE": "image",
        "LOGICAL_DATE": "",
        "MODEL": model,
        "PARAMETERS": "{}",
        "PIPELINE": "predict",
        "RUN": run,
        "RUN_DIR": ".",
        "STEP": "publish-table",
        "TRY": "1",
    }
    variables = " ".join(f"NOTEHIVE_{name}='{value}'" for name, value in told.items())
    code = f"import pandas as pd; pd.DataFrame({frame}).to_parquet('predictions.parquet')"
    tara.does(f'python3 -c "{code}"', at=model)
    return tara.shell(f"{variables} python3 -P -m notehive.models.step", at=model)


def rows(site: Site, query: str) -> list[str]:
    """Give what PostgreSQL has, a line for each row."""
    told = ("psql", "--tuples-only", "--no-align", "--command", query, "tables")
    return site.exec("postgres", *told).splitlines()


def test_what_a_step_sends_is_in_the_table(site: Site, tara: Owner, model: str) -> None:
    table = f"lab.{model.replace('-', '_')}"
    for _ in range(2):  # done again, its rows are there once
        code, said = publish(tara, model, "{'customer': [1, 2], 'plan': ['a', None]}", run="one")
        assert (code, said) == (0, f"2 rows of predictions.parquet are in the table {table}\n")
    assert publish(tara, model, "{'customer': [3]}", run="two")[0] == 0
    query = f"SELECT customer, plan, run FROM {table} ORDER BY customer"
    assert rows(site, query) == ["1|a|one", "2||one", "3||two"]
    code, said = publish(tara, model, "{'customer': ['four']}", run="three")
    assert code == 1
    assert said.startswith(f"table {table}, column customer: is bigint and would be text; ")
    assert len(rows(site, query)) == 3


def test_a_million_rows(site: Site, tara: Owner, model: str) -> None:
    """More than Nginx and the API take into their memory at once."""
    code, said = publish(tara, model, "{'customer': range(1_000_000), 'plan': 'x' * 20}", run="one")
    assert code == 0, said
    table = f"lab.{model.replace('-', '_')}"
    assert rows(site, f"SELECT count(*), min(plan) FROM {table}") == [f"1000000|{'x' * 20}"]


def test_more_than_a_line_of_json_is_refused(tara: Owner) -> None:
    """Nginx sets no limit here, for rows may be many: so the API does."""
    code = "from notehive.models.client import ask; ask('POST', '/models', {'name': 'x' * 2**21})"
    assert "Content Too Large" in tara.shell(f'python3 -c "{code}"')[1]


def test_a_table_of_another_group(tara: Owner) -> None:
    told = json.dumps({"run": "x", "columns": [{"name": "a", "type": "text"}]})
    code = (
        "from notehive.models import client; "
        "client.send('PUT', '/models/guild/none/table/rows', [TOLD + b'\\n'], 'text/csv')"
    )
    said = tara.shell(f"""python3 -c "TOLD = b'{told.replace('"', chr(92) + '"')}'; {code}" """)[1]
    assert "guild/none: there is no such model, or it is not open to you" in said
