"""Airflow's page and API, behind the gate: ``python3 -m notehive.airflow.serve``."""

import os
from argparse import Namespace

import uvicorn
from airflow.api_fastapi.app import cached_app
from airflow.cli.commands.rotate_fernet_key_command import rotate_fernet_key
from airflow.utils import db

from notehive.airflow import records
from notehive.airflow.door import Door
from notehive.airflow.metrics import Pipelines
from notehive.hub.config import SECRETS, read_secret
from notehive.metrics.serve import start

PORT, INNER_PORT = 8080, 8081


def prepare() -> None:
    """Bring the database to this version; nothing else of Airflow starts before it is done."""
    try:
        db.check_migrations(1)
    except TimeoutError:
        db.upgradedb()  # which holds a lock of the database
    if (SECRETS / "airflow-fernet-former").exists():
        rotate_fernet_key(Namespace())  # what is kept is encrypted anew, with the current one


def listen(door: Door, port: int) -> uvicorn.Config:
    """Give how to listen on a port. Nginx logs requests, without their queries."""
    return uvicorn.Config(door, host="0.0.0.0", port=port, access_log=False)  # noqa: S104


def main() -> None:
    """Serve until the container is stopped: on a port for Nginx, for tasks, and for Prometheus."""
    prepare()
    start(Pipelines(records.read))
    door = Door(cached_app(), read_secret("airflow-key"), INNER_PORT, os.environ["IMAGE"])
    page, inner = listen(door, PORT), listen(door, INNER_PORT)
    uvicorn.Server(page).run(sockets=[page.bind_socket(), inner.bind_socket()])


if __name__ == "__main__":
    main()
