"""The step `publish-table`, with the platform's own PostgreSQL."""

import json
from collections.abc import Iterator

import pytest

from .conftest import built
from .containers import Container, Containers, docker, until

MODEL_YML = b"""
name: churn-2
image: datascience
size: small
pipelines:
  predict: {steps: [publish-table]}
predict: {output: predictions.parquet}
"""
GROUP = "lab"


class Database:
    """PostgreSQL with a schema of the group, and steps beside it."""

    def __init__(self, containers: Containers) -> None:
        self.containers = containers
        volume = containers.volume()
        data = f"--volume={volume}:/var/lib/postgresql/data"
        made = containers.run(
            built("postgres"), "/opt/notehive/postgres/start", "init", options=(data,)
        )
        until(lambda: not made.running(), "the database is made", 120)
        self.server = containers.create(built("postgres"), options=(data,))
        # A line of .pgpass, as `up` makes it; the role and the database are called like the file.
        self.server.write(f"/run/secrets/postgres-{GROUP}", f"*:*:*:{GROUP}:password".encode())
        self.server.start()
        self.url = f"postgresql://{GROUP}:password@127.0.0.1/{GROUP}"
        until(self._answers, "the database answers", 120)
        self.run_dir = containers.volume()
        mount = f"--volume={self.run_dir}:/mnt/run"
        self.files = containers.idle(built("notebooks-datascience"), "--user=root", mount)

    def _answers(self) -> bool:
        assert self.server.running(), self.server.logs()
        return "ready" in self.server.logs() and bool(self.ask("SELECT 1", quiet=True))

    def ask(self, query: str, *, quiet: bool = False) -> str:
        """Give the answer of psql, a line for each row."""
        more = " 2>/dev/null || true" if quiet else ""
        return self.server.sh(
            f"psql '{self.url}' --tuples-only --no-align --command \"{query}\"{more}"
        )

    def publish(self, frame: str, run: str = "manual__1", **variables: str) -> tuple[int, str]:
        """Run the step on a table of predictions; give its exit code and the last line."""
        self.files.python(
            f"import pandas as pd; pd.DataFrame({frame}).to_parquet('/mnt/run/predictions.parquet')"
        )
        job = self._job(run, variables)
        job.start()
        until(lambda: not job.running(), "the step ends", 120)
        code = int(docker("inspect", "--format", "{{.State.ExitCode}}", job.id))
        return code, job.logs().splitlines()[-1]

    def _job(self, run: str, variables: dict[str, str]) -> Container:
        given = {
            "NOTEHIVE_COMMIT": "c0ffee",
            "NOTEHIVE_DATA_INTERVAL_END": "",
            "NOTEHIVE_DATA_INTERVAL_START": "",
            "NOTEHIVE_GROUP": GROUP,
            "NOTEHIVE_IMAGE": "image",
            "NOTEHIVE_LOGICAL_DATE": "",
            "NOTEHIVE_MODEL": "churn-2",
            "NOTEHIVE_PARAMETERS": "{}",
            "NOTEHIVE_PIPELINE": "predict",
            "NOTEHIVE_RUN": run,
            "NOTEHIVE_RUN_DIR": "/mnt/run",
            "NOTEHIVE_STEP": "publish-table",
            "NOTEHIVE_TABLES_URL": self.url,
            "NOTEHIVE_TRY": "1",
            **variables,
        }
        job = self.containers.create(
            built("notebooks-datascience"),
            *("python3", "-P", "-m", "notehive.models.step"),
            options=(
                f"--network=container:{self.server.id}",
                f"--volume={self.run_dir}:/mnt/run",
                "--workdir=/opt/model",
                *(f"--env={name}={value}" for name, value in given.items()),
            ),
        )
        job.write("/opt/model/model.yml", MODEL_YML)
        return job


@pytest.fixture(scope="module")
def running() -> Iterator[Database]:
    containers = Containers()
    try:
        yield Database(containers)
    finally:
        containers.remove()


@pytest.fixture
def database(running: Database) -> Database:
    """The database with an empty schema of the group."""
    running.ask(f"DROP SCHEMA IF EXISTS {GROUP} CASCADE", quiet=True)
    running.ask(f"CREATE SCHEMA {GROUP}")
    return running


TWO = "{'customer': [1, 2], 'plan': ['a', None], 'prediction': [0.5, 1.5]}"
ROWS = "SELECT customer, plan, prediction, run FROM lab.churn_2 ORDER BY run, customer"


def test_rows_of_a_run_are_there_once(database: Database) -> None:
    for _ in range(2):
        said = database.publish(TWO)
        assert said == (0, "2 rows of predictions.parquet are in the table lab.churn_2")
    assert database.ask(ROWS) == "1|a|0.5|manual__1\n2||1.5|manual__1"
    assert database.publish("{'customer': [3]}", run="manual__2")[0] == 0
    assert database.ask(ROWS).splitlines()[2:] == ["3|||manual__2"]


def test_rows_of_an_interval_are_there_once(database: Database) -> None:
    interval = {"NOTEHIVE_DATA_INTERVAL_START": "2026-01-01T00:00:00+00:00"}
    assert database.publish(TWO, run="scheduled__1", **interval)[0] == 0
    assert database.publish("{'customer': [9]}", run="backfill__1", **interval)[0] == 0
    assert database.ask("SELECT customer, run FROM lab.churn_2") == "9|backfill__1"


def test_new_columns_are_added_and_other_types_refused(database: Database) -> None:
    assert database.publish(TWO)[0] == 0
    assert database.publish("{'customer': [3], 'region': ['north']}", run="manual__2")[0] == 0
    assert database.ask("SELECT region FROM lab.churn_2 WHERE customer = 3") == "north"
    code, said = database.publish("{'customer': ['four']}", run="manual__3")
    assert (code, said) == (
        1,
        "table lab.churn_2, column customer: is bigint and would be text; "
        "rename the column, or drop the table",
    )
    assert database.ask("SELECT count(*) FROM lab.churn_2") == "3", "nothing of it was written"


@pytest.mark.parametrize(
    ("frame", "variables", "said"),
    [
        ("{'a': [1]}", {"NOTEHIVE_TABLES_URL": ""}, "NOTEHIVE_TABLES_URL: is not set"),
        ("{'a': [[1]]}", {}, "predictions.parquet, column a: object has no type in a table"),
        ("{'interval_start': [1]}", {}, "predictions.parquet: a column cannot be called"),
        ("{'a': [1]}", {"NOTEHIVE_GROUP": "guild"}, 'table guild.churn_2: schema "guild" does not'),
    ],
)
def test_what_cannot_be_published(
    database: Database, frame: str, variables: dict[str, str], said: str
) -> None:
    code, last = database.publish(frame, **variables)
    assert code == 1
    assert last.startswith(said), json.dumps(last)
