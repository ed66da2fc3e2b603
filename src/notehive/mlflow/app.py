"""MLflow's server as `mlflow server --app-name notehive` runs it."""

import os
import secrets

from mlflow.server import app as flask_app
from mlflow.server import auth
from werkzeug.datastructures import Authorization

from notehive.hub.config import read_secret
from notehive.metrics.requests import Requests
from notehive.metrics.serve import start
from notehive.mlflow.door import Door
from notehive.mlflow.grants import Grants
from notehive.mlflow.identity import CURRENT
from notehive.mlflow.page import page
from notehive.mlflow.traces import keep_within_workspace


def authenticate() -> Authorization:
    """Give MLflow's auth app the user who asks; mlflow/auth.ini names this function."""
    return Authorization("gate", {"username": CURRENT.get().user})


def create_app() -> Requests:
    """Give MLflow's server with its auth app, whose rights come from the gate."""
    # Signs a form of MLflow's page for users, which is closed.
    os.environ.setdefault("MLFLOW_FLASK_SERVER_SECRET_KEY", secrets.token_hex())
    auth.store = Grants()
    keep_within_workspace()
    door = Door(auth.create_app(), read_secret("mlflow-key"), page(str(flask_app.static_folder)))
    measured = Requests(door, but={"/health"})
    start(measured)
    return measured
