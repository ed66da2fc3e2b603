"""Who sees and changes what a group shares, and where what a user makes belongs."""

import pytest

from notehive.gate import headers
from notehive.hub import sharing, tracking
from notehive.settings import parse
from tests.unit.conftest import hub_config

SETTINGS = """
groups:
  red: {}
  blue: {shared: everyone}
  grey: {shared: none}
  green: {}
"""
GROUPS = parse(SETTINGS).groups


@pytest.mark.parametrize(
    ("member_of", "seen"),
    [
        (set(), {"everyone": True, "blue": False}),
        ({"red"}, {"everyone": True, "red": True, "blue": False}),
        ({"blue", "grey"}, {"everyone": True, "blue": True}),
        ({"unknown", "everyone"}, {"everyone": True, "blue": False}),
    ],
)
def test_who_sees_what_services_keep(member_of: set[str], seen: dict[str, bool]) -> None:
    assert sharing.kept(GROUPS, member_of) == seen


def test_what_belongs_to_nobody_can_be_closed() -> None:
    groups = parse("groups: {everyone: {shared: none}}").groups
    assert sharing.kept(groups, {"red"}) == {}


@pytest.mark.parametrize(
    ("member_of", "group"),
    [
        (set(), "everyone"),
        ({"green", "red"}, "red"),  # the first of the settings
        ({"green", "blue"}, "blue"),
        ({"grey"}, "everyone"),
        ({"grey", "green"}, "green"),
        ({"unknown"}, "everyone"),
    ],
)
def test_where_runs_go(member_of: set[str], group: str) -> None:
    assert sharing.own(GROUPS, member_of) == group
    env = tracking.server_env(hub_config(SETTINGS), member_of)
    assert env.pop("MLFLOW_TRACKING_URI") == "http://notehive.localhost/mlflow"
    named = {"MLFLOW_WORKSPACE": group, "MLFLOW_EXPERIMENT_NAME": "Default"}
    assert env == ({} if group == "everyone" else named)


@pytest.mark.parametrize("groups", [[], ["red"], ["red", "blue"]])
def test_what_is_listed_is_read_again(groups: list[str]) -> None:
    assert sorted(headers.names(headers.listed(groups))) == sorted(groups)
