"""The peer: stock Airflow with PapermillOperator, which runs notebooks in processes of its own."""

import json
import re
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from notehive import docker, shell
from tests.support.projects import write
from tests.support.site import ROOT, wait_for

HERE = Path(__file__).parent / "stock/airflow"
NAME = "bench-stock-airflow"  # of its network, its containers and its image
DATABASE = f"{NAME}-postgres"
PORT = 18298
# What both Airflows have in the same version. All else is as the provider wants it.
PINNED = ("apache-airflow-core", "papermill")
SERVE = (
    "initdb --auth=trust --username=airflow --encoding=UTF8 --locale=C.UTF-8 --pgdata=/tmp/data"
    " && echo 'host all all all trust' >> /tmp/data/pg_hba.conf"
    " && exec postgres -D /tmp/data -c listen_addresses='*' -c unix_socket_directories=/tmp"
)
SETTINGS = {
    "AIRFLOW__API_AUTH__JWT_SECRET": "0" * 64,  # one for all of its parts
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://airflow@{DATABASE}/postgres",
}
# Prints the memory (bytes) of each kernel: of a notebook, not of Airflow.
KERNELS = """
import contextlib, json, pathlib, re
found = []
for process in pathlib.Path("/proc").glob("[0-9]*"):
    with contextlib.suppress(OSError):
        # As an argument of its own: this program, which is one argument, is no kernel.
        if b"ipykernel_launcher" in (process / "cmdline").read_bytes().split(b"\\0"):
            size = re.search(r"^Pss: +([0-9]+)", (process / "smaps_rollup").read_text(), re.M)
            found.append(int(size[1]) << 10)
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Stock:
    """A peer that is up."""

    token: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Make one request of its API; give its JSON."""
        return _ask(method, f"/api/v2{path}", body, self.token)

    def told(self, path: str) -> Any:
        """Give the JSON of what is there."""
        return self.ask("GET", path)

    def run(self, dag: str) -> str:
        """Have a DAG run; give the path of the run."""
        run = self.ask("POST", f"/dags/{dag}/dagRuns", {"logical_date": None})
        return f"/dags/{dag}/dagRuns/{run['dag_run_id']}"

    def ended(self, run: str) -> str:
        """Wait for the end of a run; give its state."""

        def state() -> str:
            found = str(self.told(run)["state"])
            return found if found in ("success", "failed") else ""

        return wait_for(f"the end of {run}", state, 300)

    def at_work(self) -> int:
        """Give how many notebooks have a kernel."""
        return len(self._kernels())

    def kernels(self) -> int:
        """Give the memory (bytes) of the notebooks' kernels."""
        return sum(self._kernels())

    def _kernels(self) -> list[int]:
        found: list[int] = json.loads(docker.output("exec", NAME, "python3", "-c", KERNELS))
        return found


def versions(airflow: str, notebooks: str) -> str:
    """Give the pins that both have in common, from two files of requirements."""
    pins = dict(re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", f"{airflow}\n{notebooks}", re.M))
    return "".join(f"{name}=={pins[name]}\n" for name in PINNED)


def build(airflow: str) -> None:
    """Build its image on that of our Airflow; what is built already is kept."""
    pins = [
        (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
        for name in ("airflow", "notebooks-base")
    ]
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree(HERE, directory, dirs_exist_ok=True)
        write(Path(directory), {"versions.txt": versions(*pins)})
        shell.run(
            docker.command(
                *("build", "--build-arg", f"AIRFLOW={airflow}", "--tag", NAME, directory)
            ),
            env={"DOCKER_BUILDKIT": "1"},
        )


@contextmanager
def stock(airflow: str, postgres: str, notebooks: Mapping[str, str], steps: int) -> Iterator[Stock]:
    """Bring one up on these images, with these notebooks; it is gone afterwards.

    ``steps``: how many notebooks its DAG `wait` runs at once.
    """
    remove()
    build(airflow)
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        root.chmod(0o755)
        write(root, notebooks)
        try:
            docker.output("network", "create", NAME)
            docker.output(
                *("run", "--detach", "--name", DATABASE, "--network", NAME, "--entrypoint", "sh"),
                *(postgres, "-c", SERVE),
            )
            env = {**SETTINGS, "STEPS": str(steps)}
            docker.output(
                *("run", "--detach", "--init", "--name", NAME, "--network", NAME),
                *(f"--env={key}={value}" for key, value in env.items()),
                *(f"--publish=127.0.0.1:{PORT}:8080", f"--volume={root}:/opt/notebooks:ro", NAME),
            )
            yield _answering()
        finally:
            remove()


def remove() -> None:
    """Remove all of it but its image."""
    shell.run(docker.command("rm", "--force", "--volumes", NAME, DATABASE), check=False)
    shell.run(docker.command("network", "rm", NAME), check=False)


def _answering() -> Stock:
    """Wait until it has read its DAGs."""

    def found() -> Stock | None:
        try:
            made = Stock(_ask("GET", "/auth/token")["access_token"])
            dags = made.told("/dags")["dags"]
        except OSError:
            return None
        return made if len(dags) == 2 else None

    made = wait_for("the peer's DAGs", found, 300)
    assert made
    return made


def _ask(method: str, path: str, body: Any = None, token: str = "") -> Any:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", data, headers, method=method)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=60) as answer:
            return json.load(answer)
    except HTTPError as error:
        raise OSError(f"{method} {path}: {error.code} {error.read().decode()[:500]}") from None
