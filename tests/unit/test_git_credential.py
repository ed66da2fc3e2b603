"""Git's credential helper of the notebook images: to whom it gives the server's token."""

import subprocess
from pathlib import Path

import pytest

HELPER = Path(__file__).resolve().parents[2] / "notebooks-images/base/git-credential-notehive"
SITE = "http://site:8080"
ASKED = {"protocol": "http", "host": "site:8080", "path": "git/red/churn.git"}


def told(asked: dict[str, str], verb: str = "get", **env: str) -> dict[str, str]:
    """Give what the helper answers to what git asks."""
    lines = ["capability[]=authtype", *(f"{key}={value}" for key, value in asked.items()), "", ""]
    done = subprocess.run(
        [HELPER, verb],
        input="\n".join(lines),
        env={"NOTEHIVE_URL": SITE, "JUPYTERHUB_API_TOKEN": "t0ken", **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def test_the_platforms_repositories() -> None:
    assert told(ASKED) == {"username": "token", "password": "t0ken"}
    assert told(ASKED, JUPYTERHUB_USER="ana")["username"] == "ana"


@pytest.mark.parametrize(
    "change",
    [
        {"protocol": "https"},
        {"host": "site"},
        {"host": "site:8080.example.com"},
        {"host": "example.com"},
        {"path": ""},
        {"path": "user/eve/red/churn.git"},
        {"path": "git/../user/eve/churn.git"},
        {"path": "git/red/../../user/eve.git"},
        {"path": "git/red/%2e%2e/eve.git"},
        {"path": "git/red/churn.git/../../user"},
        {"path": "git/red/churn"},
        {"path": "/git/red/churn.git"},
        {"path": "gitx/red/churn.git"},
    ],
)
def test_nobody_else(change: dict[str, str]) -> None:
    assert told({**ASKED, **change}) == {}


def test_nothing_is_kept_and_nothing_made_up() -> None:
    assert told(ASKED, "store") == told(ASKED, "erase") == {}
    assert told(ASKED, JUPYTERHUB_API_TOKEN="") == told(ASKED, NOTEHIVE_URL="") == {}
