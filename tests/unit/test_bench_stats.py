"""What the benchmarks make of measured seconds."""

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import figures, stats
from bench.client import Attempt

SECONDS = st.lists(st.floats(0.01, 1000), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([3.0], 0.95, 3.0),
        ([1.0, 2.0, 3.0, 4.0], 0.0, 1.0),
        ([4.0, 3.0, 2.0, 1.0], 1.0, 4.0),
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        ([1.0, 2.0], 0.25, 1.25),
        ([float(n) for n in range(101)], 0.95, 95.0),
    ],
)
def test_percentile(values: list[float], share: float, expected: float) -> None:
    assert stats.percentile(values, share) == expected


@given(SECONDS)
def test_the_middle_percentile_is_the_median(values: list[float]) -> None:
    assert stats.percentile(values, 0.5) == pytest.approx(statistics.median(values))


@given(SECONDS)
def test_a_summary_is_in_order(values: list[float]) -> None:
    found = stats.summary(values)
    assert found["median"] <= found["p95"] <= found["slowest"] == round(max(values), 3)


def test_nothing_has_no_summary_and_no_ratio() -> None:
    assert stats.summary([]) == {}
    assert stats.ratio([], [1.0]) is None
    assert stats.ratio([1.0], []) is None


def test_a_ratio_without_spread_is_certain() -> None:
    assert stats.ratio([1.0] * 30, [4.0] * 30) == (0.25, 0.25, 0.25)


def test_the_same_seed_gives_the_same_interval() -> None:
    ours, theirs = [1.0, 2.0, 5.0], [2.0, 3.0, 9.0]
    assert stats.ratio(ours, theirs, seed=1) == stats.ratio(ours, theirs, seed=1)
    assert stats.ratio(ours, theirs, seed=1, resamples=9) != stats.ratio(
        ours, theirs, seed=2, resamples=9
    )


def test_the_interval_holds_the_true_ratio_about_as_often_as_it_says() -> None:
    """95 % of the time: of 100 samples of a known ratio, not many fewer and not all."""
    draw = random.Random(5)
    held = 0
    for seed in range(100):
        ours = [draw.lognormvariate(0.0, 0.3) for _ in range(30)]
        theirs = [2 * draw.lognormvariate(0.0, 0.3) for _ in range(30)]
        found = stats.ratio(ours, theirs, seed=seed, resamples=300)
        assert found is not None
        held += found.low <= 0.5 <= found.high
    assert 88 <= held < 100


def test_failures_are_counted_with_their_reasons_and_are_no_times() -> None:
    attempts = [
        Attempt(1.0, 1.5),
        Attempt(2.0, None, "no kernel"),
        Attempt(None, None, "refused"),
        Attempt(3.0, 4.0),
    ]
    row = figures.of_row(attempts, at_once=2)
    assert (row["tried"], row["failed"]) == (4, 2)
    assert row["failures"] == {"no kernel": 1, "refused": 1}
    assert row["to_ready"]["median"] == 2.0
    assert row["to_result"]["median"] == 2.75
    assert row["ready_to_result"]["slowest"] == 1.0
    assert row["slowest_of_each"] == [1.5, 4.0]
    assert len(row["attempts"]) == 4


def test_a_row_without_any_success_has_no_ratio() -> None:
    found = figures.of_rows(
        {"stock": [Attempt(None, None, "dead")], "notehive": [Attempt(1.0, 2.0)]}, "notehive"
    )
    assert found["ratio_to_result"] == {}
    assert found["rows"]["stock"]["failures"] == {"dead": 1}
