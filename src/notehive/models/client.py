"""The platform's API, as programs in a user's server ask it: with that server's token."""

import json
import os
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any
from urllib.error import HTTPError, URLError

from notehive.errors import NotehiveError

API = "/notehive-api"
PATIENCE, LONG_PATIENCE = 60, 3600  # seconds without an answer


def ask(method: str, path: str, body: Any = None) -> Any:
    """Ask the API; ``path`` is below it, ``body`` goes as JSON. Give the answer's JSON.

    Raises NotehiveError with what the API says is wrong, or why it could not be asked.
    """
    data = None if body is None else json.dumps(body).encode()
    with asked(method, path, data, PATIENCE) as answer:
        return json.load(answer)


def send(method: str, path: str, pieces: Iterable[bytes], kind: str) -> Any:
    """Send a body of this content type, as its pieces come, and give the answer's JSON.

    Raises as `ask` does, and what ``pieces`` raise.
    """
    with asked(method, path, pieces, LONG_PATIENCE, kind) as answer:
        return json.load(answer)


def follow(method: str, path: str) -> Iterator[str]:
    """Ask for what takes long; yield the lines of the answer as they come. Raises as `ask` does."""
    with asked(method, path, None, LONG_PATIENCE) as answer:
        for line in answer:
            yield line.decode(errors="replace").rstrip("\n")


@contextmanager
def asked(
    method: str, path: str, data: Any, patience: float, kind: str = "application/json"
) -> Iterator[IO[bytes]]:
    """Give the answer to a request, to be read."""
    request = urllib.request.Request(  # noqa: S310 - the site's own address
        f"{known('NOTEHIVE_URL')}{API}{path}",
        method=method,
        data=data,
        headers={
            "Authorization": f"Bearer {known('JUPYTERHUB_API_TOKEN')}",
            "Content-Type": kind,
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=patience) as answer:  # noqa: S310
            yield answer
    except HTTPError as error:
        raise NotehiveError(message(error)) from None
    except (URLError, OSError) as error:
        raise NotehiveError(f"{request.full_url}: no answer ({error}); try again") from None


def message(error: HTTPError) -> str:
    """Give what an answer says is wrong; what stands before the API says it in a page."""
    try:
        return str(json.load(error)["message"])
    except (ValueError, LookupError, TypeError):
        return f"{error.url}: answered {error.code} {error.reason}; ask your operator"


def known(variable: str) -> str:
    """Give a variable that every server of the platform has."""
    value = os.environ.get(variable)
    if not value:
        raise NotehiveError(f"{variable} is not set; run this in a server of the workbench")
    return value
