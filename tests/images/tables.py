"""PostgreSQL and the API beside it, as containers of one network, for the tests of tables.

What Nginx and the gate say of who asks, an Nginx with a configuration of the tests' own says.
"""

import json

from notehive.hub.config import HubStorage
from notehive.platform import stack
from notehive.settings import parse

from .conftest import built
from .containers import Container, Containers, docker, until

GROUP, MODEL = "lab", "churn-2"
URL = "http://127.0.0.1:8080"
MODEL_YML = b"""
name: churn-2
image: datascience
size: small
pipelines:
  predict: {steps: [publish-table]}
predict: {output: predictions.parquet}
"""
FRONT = b"""
pid /tmp/pid;
error_log stderr;
events {}
http {
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  access_log off;
  server {
    listen 8080;
    client_max_body_size 0;
    proxy_request_buffering off;
    proxy_http_version 1.1;
    location / {
      proxy_pass http://127.0.0.1:8092;
      proxy_set_header X-Notehive-Key key;
      proxy_set_header X-Notehive-User job:lab;
      proxy_set_header X-Notehive-Edits lab;
    }
  }
}
"""


class Tables:
    """The parts, and what a job does with them."""

    def __init__(self, containers: Containers) -> None:
        self.containers = containers
        self.server = self._postgres()
        self.api = self._api()
        front = self._beside("nginx", "nginx", "-c", "/etc/front.conf", "-g", "daemon off;")
        front.write("/etc/front.conf", FRONT)
        front.start()
        self.run_dir = containers.volume()
        mount = f"--volume={self.run_dir}:/mnt/run"
        self.files = self._beside("notebooks-datascience", "sleep", "infinity", options=(mount,))
        self.files.start()
        asked = f"curl --silent --output /dev/null --fail {URL}/health && echo yes || true"
        until(lambda: self.files.sh(asked) == "yes", "the API answers", 120)
        docker("exec", "--user=root", self.files.id, "chmod", "0777", "/mnt/run")
        self.api.python(
            "from notehive.git.repositories import Repositories\n"
            f"Repositories().make({GROUP!r}, {MODEL!r})"
        )

    def _postgres(self) -> Container:
        data = f"--volume={self.containers.volume()}:/var/lib/postgresql/data"
        made = self.containers.run(
            built("postgres"), "/opt/notehive/postgres/start", "init", options=(data,)
        )
        until(lambda: not made.running(), "the database is made", 120)
        # The name by which the API knows it, in all containers of its network.
        name = "--add-host=postgres:127.0.0.1"
        server = self.containers.create(built("postgres"), options=(data, name))
        # A line of .pgpass, as `up` makes it; the role and the database are called like the file.
        server.write("/run/secrets/postgres-tables", b"*:*:*:tables:password")
        server.start()
        return server

    def _beside(self, image: str, *command: str, options: tuple[str, ...] = ()) -> Container:
        """A container in PostgreSQL's network, not started yet."""
        network = f"--network=container:{self.server.id}"
        return self.containers.create(built(image), *command, options=(network, *options))

    def _api(self) -> Container:
        variables = {
            "KEEP_DAYS": "1",
            "KEEP_RELEASES": "1",
            "PGPASSWORD": "password",
            "URL": "http://site",
        }
        options = tuple(f"--env={name}={value}" for name, value in variables.items())
        api = self._beside("git", "python3", "-m", "notehive.api", options=options)
        references = {f"notebooks-{name}": "image" for name in ("base", "datascience")}
        config = stack.hub_config(
            parse("{url: 'http://site', groups: {lab: {}}}"),
            references,
            HubStorage(root="/srv/homes", nfs="", quota=0),
        )
        api.write("/etc/notehive/hub.json", config.model_dump_json().encode())
        api.write("/run/secrets/api-key", b"key")
        api.write("/run/secrets/push-token", b"token")
        api.start()
        return api

    def ask(self, query: str) -> str:
        """Give the answer of psql, a line for each row."""
        return docker(
            *("exec", self.server.id, "psql", "--tuples-only", "--no-align"),
            *("--set=ON_ERROR_STOP=1", "--command", query, "tables"),
        ).strip()

    def send(
        self, columns: dict[str, str], rows: bytes, *, run: str = "manual__1", times: int = 1
    ) -> str:
        """Send rows, so many times, with the package's own client; give what is answered."""
        told = {"run": run, "columns": [{"name": n, "type": of} for n, of in columns.items()]}
        line = json.dumps(told).encode() + b"\n"
        script = (
            "from notehive.errors import NotehiveError\n"
            "from notehive.models import client\n"
            f"pieces = [{line!r}, *[{rows!r}] * {times}]\n"
            f"place = '/models/{GROUP}/{MODEL}/table/rows'\n"
            "try: print(client.send('PUT', place, pieces, 'text/csv'))\n"
            "except NotehiveError as error: print(error)"
        )
        return docker(
            *("exec", f"--env=NOTEHIVE_URL={URL}", "--env=JUPYTERHUB_API_TOKEN=token"),
            *(self.files.id, "python3", "-P", "-c", script),
        ).strip()

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
            "JUPYTERHUB_API_TOKEN": "token",
            "NOTEHIVE_COMMIT": "c0ffee",
            "NOTEHIVE_DATA_INTERVAL_END": "",
            "NOTEHIVE_DATA_INTERVAL_START": "",
            "NOTEHIVE_GROUP": GROUP,
            "NOTEHIVE_IMAGE": "image",
            "NOTEHIVE_LOGICAL_DATE": "",
            "NOTEHIVE_MODEL": MODEL,
            "NOTEHIVE_PARAMETERS": "{}",
            "NOTEHIVE_PIPELINE": "predict",
            "NOTEHIVE_RUN": run,
            "NOTEHIVE_RUN_DIR": "/mnt/run",
            "NOTEHIVE_STEP": "publish-table",
            "NOTEHIVE_TRY": "1",
            "NOTEHIVE_URL": URL,
            **variables,
        }
        job = self._beside(
            *("notebooks-datascience", "python3", "-P", "-m", "notehive.models.step"),
            options=(
                f"--volume={self.run_dir}:/mnt/run",
                "--workdir=/opt/model",
                *(f"--env={name}={value}" for name, value in given.items()),
            ),
        )
        job.write("/opt/model/model.yml", MODEL_YML)
        return job
