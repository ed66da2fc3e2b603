"""What must hold before a version is released: run in the image that is about to be."""

from datetime import date

from plant import FEATURES, OTHER_THERMOMETERS, PUMPS, load


def test_a_day_is_always_the_same():
    longer = load(date(2026, 5, 20), days=3)
    alone = load(date(2026, 5, 19), days=1)
    of_it = longer[longer["day"] == "2026-05-18"].reset_index(drop=True)
    assert of_it.equals(alone)
    assert len(alone) == PUMPS


def test_other_thermometers_are_seen():
    before, after = (load(until, days=7) for until in (OTHER_THERMOMETERS, date(2026, 6, 20)))
    risen = after[FEATURES].mean() - before[FEATURES].mean()
    assert risen["temperature"] > 5
    assert abs(risen["vibration"]) < 0.5
