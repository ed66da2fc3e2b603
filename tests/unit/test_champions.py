"""Who was champion when, as tags keep it, and who is that again after a rollback."""

import pytest

from notehive.models.champions import PROMOTED, ROLLED_BACK, Change, changes, earlier, tag


def told(*changed: str) -> list[Change]:
    """Give changes of `2>3` (promoted) and `3<2` (rolled back to 2)."""
    found = []
    for number, each in enumerate(changed):
        at = f"2026-01-01T00:00:0{number}.000000+00:00"
        if ">" in each:
            before, version = each.split(">")
            found.append(Change(PROMOTED, version, before, "ana", "why", at))
        else:
            before, version = each.split("<")
            found.append(Change(ROLLED_BACK, version, before, "ana", "why", at))
    return found


@pytest.mark.parametrize(
    ("changed", "champion", "before"),
    [
        ((), "", []),
        ((), "4", []),  # made so in MLflow, before anything was told
        ((">1",), "1", []),
        ((">1", "1>2", "2>3"), "3", ["2", "1"]),
        ((">1", "1>2", "2>3", "3<2"), "2", ["1"]),
        ((">1", "1>2", "2>3", "3<2", "2>4"), "4", ["2", "1"]),
        # The first one again, and back.
        ((">1", "1>2", "2>1"), "1", ["2", "1"]),
        ((">1", "1>2", "2>1", "1<2"), "2", ["1"]),
        ((">1", "1>2", "2>1", "1<2", "2<1"), "1", []),
        # Somebody has moved the alias without a word: forth, back, or away.
        ((">1", "1>2"), "3", ["2", "1"]),
        ((">1", "1>2", "3>4"), "4", ["3", "2", "1"]),
        ((">1", "1>2", "2>3"), "2", ["1"]),
        ((">1", "1>2", "2>3", "1>4"), "4", ["1"]),
        ((">1", "1>2"), "", ["2", "1"]),
        # What was told and then not done, because MLflow was gone.
        ((">1", "1>2", "2<1"), "2", ["1"]),
    ],
)
def test_champions_of_before(changed: tuple[str, ...], champion: str, before: list[str]) -> None:
    assert earlier(told(*changed), champion) == before


def test_tags_keep_changes_in_their_order() -> None:
    known = told(*(f"{number}>{number + 1}" for number in range(1, 9)))
    tags = dict(tag(change) for change in reversed(known))
    tags |= {"notehive.champion.0": "by hand", "notehive.champion.1": "{}", "team": "risk"}
    assert changes(tags) == known
    assert sorted(tags)[-2] == "notehive.champion.20260101T000007.000000Z"
