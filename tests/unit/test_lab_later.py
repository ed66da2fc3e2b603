"""Modules that are loaded late, or left out, while others are imported."""

import sys
from importlib import import_module

import pytest

from notehive.lab.later import left_out, loaded_later


@pytest.fixture(autouse=True)
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not imported it."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)


def test_what_is_left_out_is_missing_meanwhile_and_there_afterwards() -> None:
    with left_out("colorsys"), pytest.raises(ImportError):
        import_module("colorsys")
    assert import_module("colorsys").rgb_to_hsv(0, 0, 0) == (0, 0, 0)


def test_what_is_there_is_not_taken_away() -> None:
    there = import_module("colorsys")
    with left_out("colorsys"):
        assert import_module("colorsys") is there
    assert sys.modules["colorsys"] is there


def test_what_is_loaded_later_works_when_it_is_used() -> None:
    with loaded_later("colorsys:rgb_to_hsv"):
        stand_in = import_module("colorsys")
    assert "colorsys" not in sys.modules
    assert stand_in.rgb_to_hsv(0, 0, 0) == (0, 0, 0)
