"""The secrets of the services: their values and generations, with a stand-in for the Swarm."""

import re
from pathlib import Path

import pytest

from notehive import docker, shell
from notehive.hub import config
from notehive.platform import secrets, stack
from notehive.settings import Settings

KEYS = stack.made_secrets(stack.wanted(Settings()))


@pytest.mark.parametrize("key", KEYS)
def test_values(key: str) -> None:
    first, second = secrets.value(key), secrets.value(key)
    assert first != second
    if key.startswith("postgres-"):
        role = key.removeprefix("postgres-")
        # host:port:database:user:password, as libpq reads it; the host is the service's name.
        assert re.fullmatch(rf"postgres:5432:{role}:{role}:[0-9a-f]{{64}}", first)
    else:
        # The hub takes its cookie secret as hexadecimal digits of 32 bytes.
        assert re.fullmatch(r"[0-9a-f]{64}", first)


@pytest.fixture
def swarm(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A stand-in for the Swarm: secrets by name, one of them of what the operator says."""
    kept = {"nh_certificate-0123456789ab": b"of the operator"}

    def run(args: list[str], *, stdin: bytes) -> None:
        kept[args[-2]] = stdin

    monkeypatch.setattr(docker, "client", lambda: "docker")
    monkeypatch.setattr(docker, "created", lambda kind, stack: list(kept))
    monkeypatch.setattr(shell, "run", run)
    return kept


def ensure(*keys: str) -> list[str]:
    return secrets.ensure("nh", secrets.current("nh"), keys)


def test_only_what_is_missing_is_made(swarm: dict[str, bytes]) -> None:
    """A second value would lock the platform out of its own database."""
    assert secrets.current("nh") == secrets.Generation(1, frozenset())
    assert ensure("hub-cookie") == ["hub-cookie"]
    first = dict(swarm)
    assert ensure("hub-cookie", "postgres-hub") == ["postgres-hub"]
    assert first.items() <= swarm.items()
    assert swarm["nh_postgres-hub.1"].startswith(b"postgres:5432:hub:hub:")


def test_another_generation_is_complete_once_it_has_begun(swarm: dict[str, bytes]) -> None:
    keys = ["hub-cookie", "postgres-hub"]
    ensure(*keys)
    begun = secrets.begin("nh", secrets.current("nh"), "hub-cookie")
    assert begun == secrets.current("nh")
    assert begun == secrets.Generation(2, frozenset({"hub-cookie"}), former=frozenset(keys))
    assert ensure(*keys) == ["postgres-hub"]
    assert ensure(*keys) == []
    for key in keys:
        assert swarm[f"nh_{key}.1"] != swarm[f"nh_{key}.2"]
    # A service that is new since then begins with this generation.
    assert ensure(*keys, "gate-cookie") == ["gate-cookie"]
    assert "nh_gate-cookie.2" in swarm


def test_who_signs_knows_the_former_key_as_long_as_it_is_there(swarm: dict[str, bytes]) -> None:
    """And no other service is given a former secret."""
    former = {
        name
        for service in stack.wanted(Settings(), former=KEYS)["services"].values()
        for each in service.get("secrets", ())
        if (name := each["source"]).endswith(stack.FORMER)
    }
    signing = {"gate-cookie-former", "hub-cookie-former", "hub-state-former"}
    assert former == signing | {f"{key}{stack.FORMER}" for key in stack.ENCRYPTING}
    assert stack.FORMER not in str(stack.wanted(Settings()))


def test_keys_are_numbered_by_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a cookie of the former one is known as such after the next renewal."""
    monkeypatch.setattr(config, "SECRETS", tmp_path)
    (tmp_path / "gate-cookie").write_text("one")
    (number,) = config.read_keys("gate-cookie")
    (tmp_path / "gate-cookie").rename(tmp_path / "gate-cookie-former")
    (tmp_path / "gate-cookie").write_text("other")
    keys = config.read_keys("gate-cookie")
    assert list(keys.values()) == ["other", "one"], "what is signed now is signed with the first"
    assert keys[number] == "one"
