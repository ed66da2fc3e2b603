import re
from typing import Any

import pytest

from notehive import docker, shell
from notehive.platform import secrets, stack
from notehive.settings import Settings

NAMES = list(stack.wanted(Settings())["secrets"])


@pytest.mark.parametrize("name", NAMES)
def test_values(name: str) -> None:
    first, second = secrets.value(name), secrets.value(name)
    assert first != second
    if name.startswith("postgres-"):
        role = name.removeprefix("postgres-")
        # host:port:database:user:password, as libpq reads it; the host is the service's name.
        assert re.fullmatch(rf"postgres:5432:{role}:{role}:[0-9a-f]{{64}}", first)
    else:
        # The hub takes its cookie secret as hexadecimal digits of 32 bytes.
        assert re.fullmatch(r"[0-9a-f]{64}", first)


def test_only_what_is_missing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second value would lock the platform out of its own database."""
    there = ["nh_hub-cookie", "other_proxy-token"]
    made: dict[str, bytes] = {}

    def run(args: list[str], *, stdin: bytes) -> None:
        made[args[-2]] = stdin

    def objects(*args: str) -> Any:
        assert args == ("secret", "ls")
        return iter([{"Name": name} for name in there])

    monkeypatch.setattr(docker, "client", lambda: "docker")
    monkeypatch.setattr(docker, "objects", objects)
    monkeypatch.setattr(shell, "run", run)
    names = ["hub-cookie", "proxy-token", "postgres-hub"]
    assert secrets.ensure("nh", names) == ["proxy-token", "postgres-hub"]
    assert set(made) == {"nh_proxy-token", "nh_postgres-hub"}
    assert made["nh_postgres-hub"].startswith(b"postgres:5432:hub:hub:")
