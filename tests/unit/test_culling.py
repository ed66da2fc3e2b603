"""What the hub is told of idle servers, and what it tells to servers."""

import asyncio
import json
import sys

import pytest
from jupyterhub.proxy import ConfigurableHTTPProxy
from traitlets.config import Config

from notehive.errors import BadInput
from notehive.hub import culling, sizes
from notehive.settings import Culling, parse
from tests.unit.conftest import hub_config

SIZES = """
sizes:
  large: {title: Large, limit: {cpu: 4, memory: 8G}}
  small: {limit: {cpu: 1, memory: 2G}}
  cores: {limit: {cpu: 8, memory: 2G}}
  medium: {title: Medium, limit: {cpu: 2, memory: 4G}}
"""


def test_by_default_an_hour_with_ten_minutes_notice() -> None:
    assert parse("").culling == Culling(idle=60, notice=10)
    assert culling.server_env(parse("").culling) == {
        "NOTEHIVE_IDLE_SECONDS": "3600",
        "NOTEHIVE_NOTICE_SECONDS": "600",
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("culling: {idle: 5}", "1: culling: the notice is not shorter than the idle time"),
        ("culling: {idle: 0.1}", "1: culling: idle is 0.1 minutes; use 0.25 or more, or 0"),
        ("culling: {idle: -1}", "1: culling.idle: "),
        ("culling: {idel: 5}", "1: culling.idel: unknown key; did you mean idle"),
    ],
)
def test_settings_that_cannot_be(settings: str, message: str) -> None:
    with pytest.raises(BadInput) as error:
        parse(settings)
    assert message in str(error.value)


def test_the_service_that_stops_idle_servers() -> None:
    c = Config()
    c.JupyterHub.services, c.JupyterHub.load_roles = [], []
    culling.update_culling(c, hub_config("culling: {idle: 30, notice: 5}"))
    assert c.JupyterHub.services == [
        {
            "name": "culler",
            "command": [
                *(sys.executable, "-m", "jupyterhub_idle_culler"),
                *("--timeout=1800", "--cull-every=60"),
            ],
        }
    ]
    [role] = c.JupyterHub.load_roles
    assert role["services"] == ["culler"]
    assert role["scopes"] == [
        "list:users",
        "read:users:activity",
        "read:servers",
        "delete:servers",
    ]


def test_never() -> None:
    c = Config()
    c.JupyterHub.services, c.JupyterHub.load_roles = [], []
    config = hub_config("culling: {idle: 0}")
    culling.update_culling(c, config)
    assert not c.JupyterHub.services
    assert not c.JupyterHub.load_roles
    assert culling.server_env(config.culling) == {}


def test_the_proxy_says_nothing_of_activity(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a real proxy answers stands in tests/stack/test_culling.py."""

    async def routes(self: object) -> dict[str, object]:
        data = {"user": "ada", "server_name": "", "last_activity": "2026-11-21T00:00:00Z"}
        return {"/user/ada/": {"target": "http://10.0.0.2:8888", "data": data}, "/": {"data": {}}}

    monkeypatch.setattr(ConfigurableHTTPProxy, "get_all_routes", routes)
    assert asyncio.run(culling.RoutesWithoutActivity().get_all_routes()) == {
        "/user/ada/": {
            "target": "http://10.0.0.2:8888",
            "data": {"user": "ada", "server_name": ""},
        },
        "/": {"data": {}},
    }


def test_larger_sizes() -> None:
    config = hub_config(SIZES)
    environment = sizes.server_env(config, ["large", "small", "cores", "medium"], "small")
    assert environment["NOTEHIVE_SIZE"] == "small"
    assert json.loads(environment["NOTEHIVE_LARGER_SIZES"]) == [
        {"key": "medium", "title": "Medium", "limit": "2 CPUs, 4 GB"},
        {"key": "large", "title": "Large", "limit": "4 CPUs, 8 GB"},
    ]
    environment = sizes.server_env(config, ["small", "large"], "large")
    assert environment["NOTEHIVE_LARGER_SIZES"] == "[]"
