"""MLflow's REST API, as far as models need it. MLflow's own client takes long to be imported."""

import json
import os
import time
from http.client import HTTPException
from io import BufferedReader
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from notehive.models.step.failure import Failed

PATIENCE_SECONDS = 60  # MLflow may be restarted just now
PAUSE_SECONDS = 1.0
NOT_NOW = (502, 503, 504)
PROXIED = "mlflow-artifacts:/"


class Refused(Exception):  # noqa: N818 - it is the answer's word
    """MLflow's answer is an error; ``code`` is its name for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Mlflow:
    """An MLflow server, asked with the rights of the job."""

    def __init__(self, uri: str, token: str = "", workspace: str = "") -> None:
        self.uri = uri.rstrip("/")
        self.workspace = workspace
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if workspace:
            self._headers["X-MLFLOW-WORKSPACE"] = workspace

    @classmethod
    def of_environment(cls) -> "Mlflow":
        """Give the server that MLflow's own client would use."""
        return cls(
            os.environ["MLFLOW_TRACKING_URI"],
            os.environ.get("MLFLOW_TRACKING_TOKEN", ""),
            os.environ.get("MLFLOW_WORKSPACE", ""),
        )

    def get(self, call: str, **query: str) -> Any:
        """Ask for something; raise Refused, or Failed if MLflow cannot be reached."""
        asked = "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items())
        return self._ask(Request(f"{self.uri}/api/2.0/mlflow/{call}?{asked}"))  # noqa: S310

    def post(self, call: str, **body: Any) -> Any:
        """Have something done; raise as ``get`` does."""
        return self._send("POST", call, body)

    def delete(self, call: str, **body: Any) -> None:
        """Have something removed; raise as ``get`` does."""
        self._send("DELETE", call, body)

    def put(self, root: str, file: Path) -> None:
        """Keep a file as an artifact, below the place of a run's artifacts."""
        if not root.startswith(PROXIED):
            raise Failed(f"MLflow keeps artifacts at {root}, where only its own client can write")
        place = quote(f"{root.removeprefix(PROXIED).strip('/')}/{file.name}")
        url = f"{self.uri}/api/2.0/mlflow-artifacts/artifacts/{place}"
        with file.open("rb") as content:
            headers = {"Content-Length": str(file.stat().st_size)}
            self._ask(Request(url, content, headers, method="PUT"))  # noqa: S310

    def _send(self, method: str, call: str, body: dict[str, Any]) -> Any:
        url, content = f"{self.uri}/api/2.0/mlflow/{call}", json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return self._ask(Request(url, content, headers, method=method))  # noqa: S310

    def _ask(self, request: Request) -> Any:
        for name, value in self._headers.items():
            request.add_header(name, value)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
                    return json.load(answer) if request.get_method() != "PUT" else None
            except HTTPError as error:
                if error.code not in NOT_NOW:
                    raise _refusal(error) from None
                trouble = str(error)
            except (URLError, HTTPException, OSError) as error:
                trouble = str(getattr(error, "reason", error))
            if time.monotonic() > deadline:
                raise Failed(f"MLflow at {self.uri} does not answer: {trouble}")
            if isinstance(request.data, BufferedReader):
                request.data.seek(0)
            time.sleep(PAUSE_SECONDS)


def _refusal(error: HTTPError) -> Refused:
    try:
        said = json.load(error)
        return Refused(said["error_code"], said["message"])
    except (ValueError, KeyError, TypeError):  # not MLflow's words, but those of what is before it
        return Refused("", f"{error.code} {error.reason}")
