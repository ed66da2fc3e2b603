"""Configs and secrets named after what they hold, with a stand-in for the Swarm."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from notehive import docker, shell
from notehive.platform import certificate, contents, stack
from notehive.platform.contents import Content
from notehive.settings import Settings, parse
from tests.support.authority import Authority

HOST = "workbench.example.com"


@pytest.fixture
def swarm(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A stand-in for the Swarm: what it was given, by kind and name."""
    kept: dict[str, bytes] = {}

    def run(args: Sequence[str], *, stdin: bytes = b"", **options: Any) -> shell.Result:
        _, kind, verb, *rest = args
        if verb == "rm":
            del kept[f"{kind} {rest[0]}"]
        else:
            *labels, name, _ = rest
            assert (verb, labels) == (
                "create",
                ["--label", "notehive.stack=nh", "--label", "notehive.kind=platform"],
            )
            kept[f"{kind} {name}"] = stdin
        return shell.Result(0, f"id of {rest[-2]}\n" if verb == "create" else "", "")

    def inspect(kind: str, name: str) -> list[dict[str, Any]]:
        return [{"ID": f"id of {name}"}] if f"{kind} {name}" in kept else []

    def objects(kind: str, *args: str) -> Iterator[dict[str, Any]]:
        assert "--filter=label=notehive.kind=platform" in args
        yield from [{"Name": each.split()[1]} for each in kept if each.split()[0] == kind]

    monkeypatch.setattr(docker, "client", lambda: "docker")
    monkeypatch.setattr(shell, "run", run)
    monkeypatch.setattr(docker, "inspect", inspect)
    monkeypatch.setattr(docker, "objects", objects)
    return kept


@pytest.mark.parametrize("kind", ["config", "secret"])
def test_another_content_is_another_object(swarm: dict[str, bytes], kind: Any) -> None:
    one, other = (Content("nh", kind, "login-password", data) for data in (b"one", b"other"))
    assert contents.ensure(one) == contents.ensure(one) == f"id of {one.name}"
    contents.ensure(other)
    assert swarm == {f"{kind} {each.name}": each.data for each in (one, other)}
    stack.remove_old(stack.Deployment("nh", Path("stack.yml"), {}, names=[other.name]))
    assert swarm == {f"{kind} {other.name}": b"other"}
    assert other.variable == f"{kind.upper()}_LOGIN_PASSWORD"


def test_a_name_gives_nothing_away() -> None:
    secrets = [Content(stack, "secret", "login-password", b"a") for stack in ("nh", "other")]
    assert "b'a'" not in repr(secrets)
    digests = {secret.name.rpartition("-")[2] for secret in secrets}
    assert len(digests) == 2, "nobody can have prepared a list"


def test_a_certificate_is_given_with_its_key_and_apart_from_its_authority(
    tmp_path: Path, swarm: dict[str, bytes]
) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue(HOST)
    settings = parse(
        f"name: nh\nurl: https://{HOST}\ntls: {{kind: files, certificate: {pair.certificate}, "
        f"key: {pair.key}, authority: {authority.file}}}"
    )
    secret = certificate.pair(settings)
    assert pair.key.read_bytes() in secret
    assert pair.certificate.read_bytes() in secret
    trusted = stack.give_trusted(settings)
    assert trusted is not None
    (config,) = swarm.values()
    assert trusted.id == f"id of {trusted.name}"
    assert b"PRIVATE" not in config
    assert authority.file.read_bytes() in config
    assert config.count(b"BEGIN CERTIFICATE") > 20, "the others are trusted as before"
    authority.issue(HOST)  # renewed in place
    assert certificate.pair(settings) != secret
    assert stack.give_trusted(settings) == trusted, "no server has to be told"


def test_without_tls_nothing_is_given(swarm: dict[str, bytes]) -> None:
    assert certificate.pair(Settings()) == b""
    assert stack.give_trusted(Settings()) is None
    assert swarm == {}
