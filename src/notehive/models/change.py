"""Whether a column has changed: a test of significance, and the population stability index."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

BINS = 10  # of a column of numbers: deciles of the reference
FLOOR = 1e-4  # a share of nothing has no logarithm


class Column(NamedTuple):
    """What is found of one column."""

    kind: str  # "numbers": Kolmogorov-Smirnov; "categories": chi-squared
    p_value: float  # corrected for the number of columns
    psi: float
    drifted: bool


def compare(
    reference: pd.DataFrame, current: pd.DataFrame, ks_pvalue: float, psi: float
) -> dict[str, Column]:
    """Compare the reference's columns with those of the current data.

    A column has drifted if both say so: its p-value is below ``ks_pvalue``, and its index at least
    ``psi``. In large data the test finds differences that matter to nobody, in small data the
    index is noise. The p-values are those of Holm and Bonferroni, so that a hundred columns raise
    no more false alarms than one.
    """
    names = [str(name) for name in reference.columns]
    kinds = {name: kind(reference[name]) for name in names}
    found = {name: p_value(reference[name], current[name], kinds[name]) for name in names}
    corrected = holm(found)
    columns = {}
    for name in names:
        index = stability(reference[name], current[name], kinds[name])
        drifted = corrected[name] < ks_pvalue and index >= psi
        columns[name] = Column(kinds[name], corrected[name], index, drifted)
    return columns


def kind(column: pd.Series) -> str:
    """Say how a column is compared. Points in time are numbers, true and false are categories."""
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    is_time = pd.api.types.is_datetime64_any_dtype(column)
    return "numbers" if is_number or is_time else "categories"


def numbers(column: pd.Series) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Give the values that are there, as numbers."""
    there = column.dropna()
    if pd.api.types.is_datetime64_any_dtype(there):
        there = there.astype("int64")
    return pd.to_numeric(there, errors="coerce").dropna().to_numpy(dtype=float)


def p_value(reference: pd.Series, current: pd.Series, how: str) -> float:
    """Give how likely such a difference is if nothing has changed."""
    if how == "numbers":
        ours, theirs = numbers(current), numbers(reference)
        if not len(ours) or not len(theirs):
            return 1.0 if len(ours) == len(theirs) else 0.0
        return float(stats.ks_2samp(theirs, ours).pvalue)
    counts = _counts(reference, current)
    if len(counts) < 2:
        return 1.0
    return float(stats.chi2_contingency(counts.to_numpy().T).pvalue)


def stability(reference: pd.Series, current: pd.Series, how: str) -> float:
    """Give the population stability index; what is missing counts as a value of its own."""
    if how == "numbers":
        theirs = numbers(reference)
        edges = (
            np.unique(np.quantile(theirs, np.linspace(0, 1, BINS + 1)[1:-1])) if len(theirs) else []
        )
        reference, current = (
            pd.Series([*np.searchsorted(edges, numbers(each), side="left"), *missing(each)])
            for each in (reference, current)
        )
    counts = _counts(reference, current)
    shares = (counts / counts.sum()).clip(lower=FLOOR)
    difference = shares["current"] - shares["reference"]
    return float((difference * np.log(shares["current"] / shares["reference"])).sum())


def missing(column: pd.Series) -> list[int]:
    """Give a bin of its own for each value that is not there."""
    return [-1] * (len(column) - len(numbers(column)))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Correct p-values for their number, by the method of Holm and Bonferroni."""
    found, largest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, p_values[name] * (len(p_values) - rank)))
        found[name] = largest
    return found


def _counts(reference: pd.Series, current: pd.Series) -> pd.DataFrame:
    """Give how often each value is there, in both."""
    both = {"reference": reference, "current": current}
    counted = {
        name: each.astype(object).where(each.notna(), "(missing)").astype(str).value_counts()
        for name, each in both.items()
    }
    return pd.DataFrame(counted).fillna(0)
