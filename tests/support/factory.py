"""Models that a member of a group releases by pushes, and their runs in Airflow and MLflow."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.support.airflow import Asker
from tests.support.owner import Owner
from tests.support.site import Answer, Site, docker, fetch, wait_for

GROUP = "lab"


@dataclass(frozen=True)
class Run:
    """A run of a pipeline: its path in Airflow's API, and its id."""

    path: str

    @property
    def id(self) -> str:
        """Airflow's name of it."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Factory:
    """What a member of the group does with a model, from a server and by the APIs."""

    owner: Owner
    model: str

    @property
    def site(self) -> Site:
        """Where all of this is."""
        return self.owner.site

    @property
    def airflow(self) -> Asker:
        """Airflow, as the member asks it."""
        return Asker(self.site, self.owner.user.token)

    # Releases

    def commit(self, files: Mapping[str, str]) -> str:
        """Write files into the clone and commit them; give the commit."""
        for name, text in files.items():
            self.owner.does(f"printf %s {shlex.quote(text)} > {name}", at=self.model)
        self.owner.does("git add --all && git commit -qm Change", at=self.model)
        return self.owner.does("git rev-parse HEAD", at=self.model).strip()

    def push(self) -> str:
        """Push what is committed; give what the pusher reads."""
        return self.owner.does("git push origin main", at=self.model)

    def release(self, files: Mapping[str, str]) -> str:
        """Commit files and push them, which must be released; give the commit."""
        commit = self.commit(files)
        said = self.push()
        assert "remote: released: " in said, said
        return commit

    @property
    def current(self) -> str:
        """The commit that is released."""
        link = f"/srv/models/{GROUP}/{self.model}/current"
        return self.site.exec("api", "readlink", link).removeprefix("releases/")

    def releases(self) -> list[dict[str, str]]:
        """What became of the last pushes, the newest first."""
        told: list[dict[str, str]] = json.loads(
            self.owner.does("notehive model status --json", at=self.model)
        )
        return told

    # Runs

    def dag(self, pipeline: str, commit: str = "") -> str:
        """Wait until Airflow knows a pipeline, of this commit if one is given; give its DAG."""
        name = f"{GROUP}.{self.model}.{pipeline}"

        def found() -> Any:
            answer = self.airflow.ask("GET", f"/dags/{name}/details")
            return json.loads(answer.body) if answer.status == 200 else None

        def there() -> bool:
            return bool(known := found()) and commit in (known["doc_md"] or "")

        if not there() and (known := found()):
            # It would look at the file within half a minute.
            asked = self.airflow.ask("PUT", f"/parseDagFile/{known['file_token']}")
            assert asked.status == 201, asked
        wait_for(f"the DAG {name}", there, 120)
        return name

    def run(self, pipeline: str, commit: str = "", **params: Any) -> Run:
        """Have a pipeline run."""
        return Run(self.airflow.run(self.dag(pipeline, commit), **params))

    def ended(self, run: Run, seconds: float = 120) -> str:
        """Wait for the end of a run; give its state."""
        return self.airflow.ended(run.path, seconds)

    def states(self, run: Run) -> dict[str, str | None]:
        """The state of each task of a run; None has one that waits for others."""
        tasks = self.airflow.told(f"{run.path}/taskInstances")["task_instances"]
        return {task["task_id"]: task["state"] for task in tasks}

    def lines(self, run: Run, task: str, attempt: int = 1) -> list[str]:
        """What the page of a task's try says so far."""
        query = f"{run.path}/taskInstances/{task}/logs/{attempt}?full_content=true"
        answer = self.airflow.ask("GET", query, Accept="application/json")
        if answer.status != 200:
            return []  # it has not begun
        return [str(each["event"]) for each in json.loads(answer.body)["content"]]

    def said(self, run: Run, task: str, attempt: int = 1) -> str:
        """The same as one text."""
        return "\n".join(self.lines(run, task, attempt))

    # Jobs

    def containers(self, run: Run, step: str = "", *, ended: bool = False) -> list[str]:
        """Ids of the containers of a run's jobs."""
        return docker(
            *("ps", "--quiet", *(("--all",) if ended else ())),
            *("--filter", f"label=notehive.stack={self.site.name}"),
            *("--filter", f"label=notehive.run={run.id}"),
            *(("--filter", f"label=notehive.step={step}") if step else ()),
        ).split()

    def nothing_is_left(self, run: Run) -> None:
        """Wait until nothing is left of a run's jobs: no service, container or token."""
        label = ("--quiet", "--filter", f"label=notehive.run={run.id}")

        def left() -> list[str]:
            found = [docker(what, "ls", *label) for what in ("service", "secret")]
            return [*" ".join(found).split(), *self.containers(run)]

        wait_for(f"the end of all jobs of {run.id}", lambda: not left(), 60)

    # MLflow

    def mlflow(self, path: str, body: Any = None) -> Any:
        """Ask MLflow's REST API; give its JSON."""
        answer = self._ask(f"/mlflow/api/2.0/mlflow/{path}", body)
        assert answer.status == 200, (path, answer)
        return json.loads(answer.body)

    def page(self, run: str, file: str) -> str:
        """Open a file of a run of MLflow's, as its page does."""
        answer = self._ask(f"/mlflow/get-artifact?run_uuid={run}&path={file}")
        assert answer.status == 200, answer
        return answer.body.decode()

    def tracked(self, run: Run, step: str) -> list[dict[str, Any]]:
        """The runs in MLflow that a step of a run has, by their tries: id, status and tags."""
        named = self.mlflow(f"experiments/get-by-name?experiment_name={self.model}")
        wanted = f"tags.notehive.run = '{run.id}' AND tags.notehive.step = '{step}'"
        body = {"experiment_ids": [named["experiment"]["experiment_id"]], "filter": wanted}
        found = [
            {
                "id": each["info"]["run_id"],
                "status": each["info"]["status"],
                "tags": {tag["key"]: tag["value"] for tag in each["data"]["tags"]},
            }
            for each in self.mlflow("runs/search", body).get("runs", [])
        ]
        return sorted(found, key=lambda each: int(each["tags"]["notehive.try"]))

    def holder(self, alias: str) -> str:
        """The version that has an alias; nothing if none has."""
        model = self.mlflow(f"registered-models/get?name={self.model}")["registered_model"]
        held = {each["alias"]: each["version"] for each in model.get("aliases", [])}
        return str(held.get(alias, ""))

    def _ask(self, path: str, body: Any = None) -> Answer:
        headers = {
            "Authorization": f"Bearer {self.owner.user.token}",
            "X-MLFLOW-WORKSPACE": GROUP,
            "Content-Type": "application/json",
        }
        data = None if body is None else json.dumps(body).encode()
        method = "GET" if body is None else "POST"
        return fetch(self.site, path, method=method, headers=headers, body=data)


def made(owner: Owner) -> Factory:
    """A new model, whose clone is empty but for what git needs."""
    name = f"m-{uuid4().hex[:10]}"
    owner.does(f"notehive model new {name} --group {GROUP}")
    owner.does("git rm -rq . && rm -rf -- *", at=name)
    return Factory(owner, name)


def remove_images(model: str) -> None:
    """Remove the images of a model from this machine's engine."""
    for image in docker("images", "--quiet", "--filter", f"label=notehive.model={model}").split():
        docker("rmi", "--force", image, check=False)
