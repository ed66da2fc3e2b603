"""Commands for Docker, as exact lists; and which of the machine's clients runs them."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from notehive import docker, shell
from notehive.errors import NotehiveError


@pytest.fixture(autouse=True)
def no_docker_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No client is found, so that commands begin with a plain ``docker``."""
    monkeypatch.setattr(docker, "CLIENTS", ())
    docker.client.cache_clear()
    yield
    docker.client.cache_clear()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            lambda: docker.build("r/notehive/hub:1", secrets={"mirrors": "/w/mirrors.sh"}),
            "docker build --progress=plain --tag r/notehive/hub:1 "
            "--secret id=mirrors,src=/w/mirrors.sh -",
        ),
        (
            lambda: docker.create_network("nh_users", "10.96.0.0/16", "nh"),
            "docker network create --driver overlay --subnet 10.96.0.0/16 "
            "--label notehive.stack=nh nh_users",
        ),
        (
            lambda: docker.create_pull("nh_pull-base-1", "r/base:2", {"notehive.stack": "nh"}),
            "docker service create --detach --quiet --no-resolve-image --name nh_pull-base-1 "
            "--mode global --restart-condition on-failure --restart-delay 5s --network host "
            "--limit-memory 32M --log-driver none --label notehive.stack=nh "
            "--entrypoint true r/base:2",
        ),
        (
            lambda: docker.create("secret", "nh_hub-cookie.1", "nh"),
            "docker secret create --label notehive.stack=nh --label notehive.kind=platform "
            "nh_hub-cookie.1 -",
        ),
        (
            lambda: docker.deploy("/w/stack.yml", "nh"),
            "docker stack deploy --prune --resolve-image=never --compose-file /w/stack.yml nh",
        ),
        (
            lambda: docker.logs("c0ffee", tail=200),
            "docker logs --timestamps --tail=200 c0ffee",
        ),
        (
            lambda: docker.logs("c0ffee", follow=True, tail=5),
            "docker logs --timestamps --tail=5 --follow c0ffee",
        ),
    ],
)
def test_commands(command: Callable[[], list[str]], expected: str) -> None:
    assert command() == expected.split()


def test_a_label_is_one_argument_whatever_its_value() -> None:
    assert docker.labels({"user": "ana b; rm -rf"}) == ["--label", "user=ana b; rm -rf"]


def stand_in_client(path: Path, *, version: str, buildx: bool) -> str:
    """A stand-in for a Docker client: it knows its version, and buildx or not."""
    path.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = buildx ]; then exit {0 if buildx else 1}; fi\n'
        f'if [ "$1" = version ]; then echo {version}; exit 1; fi\n'  # 1: no engine answers
    )
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("version", "buildx", "can"),
    [
        ("18.09.1", False, False),
        ("19.03.15", False, True),
        ("20.10.24+dfsg1", False, True),
        ("20.10.24+dfsg1", True, True),
        ("22.06.0-beta.0", False, True),
        ("23.0.1", False, False),
        ("26.1.5+dfsg1", False, False),
        ("26.1.5+dfsg1", True, True),
        ("", False, False),
    ],
)
def test_which_clients_can_build(version: str, buildx: bool, can: bool, tmp_path: Path) -> None:
    client = stand_in_client(tmp_path / "docker", version=version, buildx=buildx)
    assert docker.can_build(client) is can


def test_the_client_that_can_build_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = stand_in_client(tmp_path / "first", version="27.0.0", buildx=False)
    second = stand_in_client(tmp_path / "second", version="20.10.0", buildx=False)
    monkeypatch.setattr(docker, "CLIENTS", (first, "no-such-client", second))
    assert docker.client() == second
    # None can build: the first is good for all else.
    docker.client.cache_clear()
    monkeypatch.setattr(docker, "CLIENTS", (first,))
    assert docker.client() == first


def answer(monkeypatch: pytest.MonkeyPatch, result: shell.Result) -> list[Sequence[str]]:
    """A stand-in for the running of commands, which gives this result; what it was asked."""
    asked: list[Sequence[str]] = []

    def run(args: Sequence[str], **options: Any) -> shell.Result:
        asked.append(args)
        return result

    monkeypatch.setattr(shell, "run", run)
    return asked


def test_inspect_gives_what_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(
        monkeypatch,
        shell.Result(
            1,
            json.dumps([{"ID": "a"}]),
            "Error: No such image: b\nError response from daemon: network c not found\n\n",
        ),
    )
    assert docker.inspect("image", "a", "b", "c") == [{"ID": "a"}]


def test_inspect_fails_where_the_engine_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not look as if nothing existed: `up` would then make things anew."""
    answer(monkeypatch, shell.Result(1, "[]", "Cannot connect to the Docker daemon\n"))
    with pytest.raises(NotehiveError, match="docker volume inspect: Cannot connect"):
        docker.inspect("volume", "nh_postgres")


def test_inspect_of_nothing_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch, shell.Result(1, "", "requires at least 1 argument"))
    assert docker.inspect("node") == []
    assert asked == []


def test_objects_are_rows_of_json(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch, shell.Result(0, '{"Name": "a"}\n{"Name": "b"}\n', ""))
    assert [row["Name"] for row in docker.objects("secret", "ls")] == ["a", "b"]
    assert asked == [["docker", "secret", "ls", "--format", "{{json .}}"]]
