"""What must hold before a version is released: run in the image that is about to be."""

from datetime import date

from months import before, first_of, table
from orders import SHOPS, load


def test_a_day_is_always_the_same():
    longer = load(date(2026, 1, 30), date(2026, 2, 3))
    alone = load(date(2026, 2, 1), date(2026, 2, 2))
    of_it = longer[longer["day"] == "2026-02-01"].reset_index(drop=True)
    assert of_it.equals(alone)


def test_months():
    assert first_of("2026-03-01T06:00:00+00:00") == date(2026, 3, 1)
    assert before(date(2026, 3, 1), 14) == date(2025, 1, 1)


def test_the_coming_month_is_to_be_found_out():
    coming = date(2026, 3, 1)
    found = table(load(before(coming, 14), coming), coming)
    assert sorted(found["month"].unique()) == ["2026-01", "2026-02", "2026-03"]
    assert len(found) == 3 * len(SHOPS)
    unknown = found[found["units"].isna()]
    assert list(unknown["month"].unique()) == ["2026-03"]
    known = found.drop(columns="units")
    assert not known.isna().any().any()
