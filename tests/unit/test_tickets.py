"""Addresses of repositories that are good for a while."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import time

import pytest
from aiohttp import web

from notehive.git import tickets
from notehive.git.app import Door
from notehive.git.housekeeping import Housekeeping
from notehive.git.repositories import Repositories
from tests.support.listening import listening

KEY = "f" * 64


def ticket(group: str = "red", name: str = "churn", key: str = KEY) -> str:
    """Give the ticket of an address."""
    _, below, ticket, *rest = tickets.path(key, group, name).split("/")
    assert (f"/{below}", rest) == (tickets.BELOW, [group, f"{name}.git"])
    return ticket


def test_for_one_repository_and_by_one_key() -> None:
    assert tickets.is_good(ticket(), KEY, "red", "churn")
    assert not tickets.is_good(ticket(), KEY, "red", "other")
    assert not tickets.is_good(ticket(), KEY, "blue", "churn")
    assert not tickets.is_good(ticket(key="other"), KEY, "red", "churn")


@pytest.mark.parametrize("given", ["", "-", "1-", "9999999999-abc", "\u00e9-\u00e9"])
def test_what_is_none(given: str) -> None:
    assert not tickets.is_good(given, KEY, "red", "churn")


def test_without_a_key_there_are_none() -> None:
    assert not tickets.is_good(ticket(key=""), "", "red", "churn")


def test_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    given, now = ticket(), time()
    monkeypatch.setattr(tickets, "time", lambda: now + tickets.GOOD_FOR + 1)
    assert not tickets.is_good(given, KEY, "red", "churn")
    _, signature = given.split("-")
    assert not tickets.is_good(f"{int(now) + 10**6}-{signature}", KEY, "red", "churn")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Repositories that are served, with a commit in one of them."""
    repositories = Repositories(tmp_path / "srv")
    repositories.root.mkdir()
    churn = repositories.make("red", "churn")
    repositories.make("red", "other")
    run = ("git", "-c", "user.name=ana", "-c", "user.email=ana@example.com", "-C", str(tmp_path))
    for command in (
        ("clone", "--quiet", str(churn.path), "clone"),
        ("-C", "clone", "commit", "--quiet", "--allow-empty", "--message=first"),
        ("-C", "clone", "push", "--quiet", "origin", "HEAD:main"),
    ):
        subprocess.run([*run, *command], check=True, capture_output=True)

    async def make() -> web.ServerRunner:
        door = Door(repositories, "key", "http://site", Housekeeping(), 2**20, KEY)
        return web.ServerRunner(web.Server(door, auto_decompress=False))

    with listening(make) as address:
        yield address


def git(ticket: str, *args: str) -> int:
    """Run git, with the header that Nginx makes of an address."""
    header = f"http.extraHeader={tickets.HEADER}: {ticket}"
    return subprocess.run(["git", "-c", header, *args], check=False, capture_output=True).returncode


def test_who_has_one_fetches_and_does_nothing_else(address: str, tmp_path: Path) -> None:
    mine, clone = ticket(), str(tmp_path / "clone")
    assert git(mine, "ls-remote", f"{address}/red/churn.git") == 0
    assert git(mine, "ls-remote", f"{address}/red/other.git") != 0
    assert git("1-a", "ls-remote", f"{address}/red/churn.git") != 0
    assert git(mine, "-C", clone, "push", f"{address}/red/churn.git", "main:other") != 0
