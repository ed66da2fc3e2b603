"""Airflow's REST API, as programs and people use it, and plain DAGs for it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.people import Person
from tests.support.site import Answer, Site, changed, fetch, wait_for

API = "/airflow/api/v2"
FOLDER = "/opt/notehive/airflow/dags"
PIPELINE = "churn.train"  # model and pipeline of each group's DAG
# For each group a DAG with one task, which says in every way that it has whose it is.
DAGS = """
import time
from airflow.sdk import DAG, task

def make(name, secret):
    with DAG(name, schedule=None, is_paused_upon_creation=False, doc_md=secret, tags=[secret]):
        @task
        def prepare(params):
            print(secret)
            time.sleep(params.get("seconds", 0))
            return secret
        prepare()

for group in ("lab", "guild", "everyone"):
    make(f"{group}.churn.train", f"SECRET-OF-{group}")
make("churn", "SECRET-OF-nobody")
"""


@dataclass
class Asker:
    """Somebody with a token, or with a browser's cookies."""

    site: Site
    token: str = ""
    person: Person | None = None

    def ask(self, method: str, path: str, body: Any = None, **more: str) -> Answer:
        """Make one request, ``path`` of the API or whole; a body goes as JSON."""
        path = path if path.startswith("/airflow") else API + path
        sent = {"Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in more.items()}
        data = None if body is None else json.dumps(body).encode()
        if self.person:
            return self.person.ask(method, path, data, sent)
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        return fetch(self.site, path, method=method, headers=sent, body=data)

    def may(self, method: str, path: str, body: Any = None) -> bool:
        """Whether such a request succeeds; a refusal must be one in order."""
        answer = self.ask(method, path, body)
        assert answer.status < 300 or answer.status in (401, 403, 404), (method, path, answer)
        return answer.status < 300

    def told(self, path: str) -> Any:
        """Give the JSON of what must be there."""
        answer = self.ask("GET", path)
        assert answer.status == 200, (path, answer)
        return json.loads(answer.body)

    def run(self, dag: str, *, logical_date: str | None = None, **params: Any) -> str:
        """Have a DAG run, as for a date; give the path of the run."""
        body = {"logical_date": logical_date, "conf": params}
        answer = self.ask("POST", f"/dags/{dag}/dagRuns", body)
        assert answer.status == 200, answer
        return f"/dags/{dag}/dagRuns/{json.loads(answer.body)['dag_run_id']}"

    def ended(self, run: str, seconds: float = 120) -> str:
        """Wait for the end of a run; give its state."""

        def state() -> str:
            found = str(self.told(run)["state"])
            return found if found in ("success", "failed") else ""

        return wait_for(f"the end of {run}", state, seconds)


@contextmanager
def switched_on(site: Site) -> Iterator[None]:
    """The site with Airflow, the plain DAGs in it, and a group that may write some."""
    groups = {**site.settings["groups"], "lab": {**site.settings["groups"]["lab"], "dags": True}}
    with changed(site, services={"airflow": True, "jenkins": "off"}, groups=groups):
        put_dags(site)
        yield


def put_dags(site: Site, text: str = DAGS) -> None:
    """Write a DAG file where Airflow's parts look, into the containers that run now."""
    for part in ("airflow-scheduler", "airflow-processor"):
        site.docker(
            *("exec", "--interactive", "--user", "root", site.container(part)),
            *("sh", "-c", f"mkdir -p {FOLDER} && cat > {FOLDER}/tests.py"),
            stdin=text,
        )
