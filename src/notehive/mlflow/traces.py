"""Where traces' data are looked for: in their own workspace, whatever a trace says of itself.

A trace names the place of its data in tags, and whoever logs a trace can write these. MLflow would
read from there: other workspaces' files, the server's own, or another address.
"""

from typing import Any
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from mlflow.server import handlers
from mlflow.store.tracking import sqlalchemy_store

from notehive.gate.paths import is_plain
from notehive.mlflow.routes import is_place


def keep_within_workspace() -> None:
    """Replace MLflow's two ways from a trace to its files."""
    repository_of = handlers._get_trace_repo_from_uri

    def checked(uri: str) -> Any:
        if not is_own(uri):
            raise MlflowException(f"{uri} is not in this workspace", PERMISSION_DENIED)
        return repository_of(uri)

    def refused(uri: str) -> Any:
        raise MlflowException(f"{uri}: traces are not archived here", PERMISSION_DENIED)

    handlers._get_trace_repo_from_uri = checked
    sqlalchemy_store.get_artifact_repository = refused


def is_own(uri: str) -> bool:
    """Whether files at this address are of the workspace that the request names."""
    parts = urlsplit(uri)
    path = parts.path.removeprefix("/")
    if parts.scheme != "mlflow-artifacts" or parts.netloc or parts.query or parts.fragment:
        return False
    # MLflow raises for the path of another workspace, and puts the own before a path without one.
    scoped: str = handlers._get_workspace_scoped_repo_path_if_enabled(path)
    return is_plain(path) and is_place(path) and scoped == path
