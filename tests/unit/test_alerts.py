"""Each alert is tried, firing and not firing, and has a page that says what to do."""

import re
from typing import Any

import pytest
import yaml

from notehive.platform.place import ROOT

RULES = ROOT / "prometheus/rules"
TESTS: dict[str, Any] = yaml.safe_load((ROOT / "tests/rules/alerts.yml").read_text())


def rules(kind: str) -> list[dict[str, Any]]:
    files = [yaml.safe_load(path.read_text()) for path in sorted(RULES.glob("*.yml"))]
    every = [rule for file in files for group in file["groups"] for rule in group["rules"]]
    return [rule for rule in every if kind in rule]


ALERTS = {rule["alert"]: rule for rule in rules("alert")}


def test_there_is_a_runbook_for_each() -> None:
    page = (ROOT / "docs/alerts.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", page, re.M) == list(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_each_is_tried_firing_and_not(name: str) -> None:
    tried = [each for test in TESTS["tests"] for each in test["alert_rule_test"]]
    fires = {bool(each.get("exp_alerts")) for each in tried if each["alertname"] == name}
    assert fires == {True, False}


@pytest.mark.parametrize("name", ALERTS)
def test_each_says_how_urgent_it_is_and_what_is_wrong(name: str) -> None:
    assert ALERTS[name]["labels"] in ({"severity": "page"}, {"severity": "warning"})
    assert list(ALERTS[name]["annotations"]) == ["summary"]
