"""A comparison of two versions: what each is worth, who wins, and the plot of it."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from notehive.models.scores import Predicted

ROUNDING = 1e-12  # a gain of 0.1 is one, though 0.9 - 0.8 is less than 0.1


class Contender(NamedTuple):
    """A version, what it predicted, and its metrics."""

    version: str
    predicted: "Predicted"
    metrics: Mapping[str, float]


class Verdict(NamedTuple):
    """Whether the challenger wins, by how much, and why."""

    wins: bool
    gain: float  # NaN without a champion to compare with
    why: str


def judge(
    challenger: Contender, champion: Contender | None, metric: str, goal: str, min_gain: float
) -> Verdict:
    """Say whether the challenger becomes champion.

    It does if its metric is better by at least ``min_gain``, so with 0 a tie is enough; if there
    is no champion; or if the champion's metric cannot be computed. One whose own metric cannot be
    computed never does.
    """
    ours = challenger.metrics[metric]
    if math.isnan(ours):
        return Verdict(False, math.nan, f"its {metric} cannot be computed")
    if champion is None:
        return Verdict(True, math.nan, f"it is the first, with {metric} {ours:.6g}")
    theirs = champion.metrics[metric]
    if math.isnan(theirs):
        return Verdict(True, math.nan, f"the champion's {metric} cannot be computed")
    gain = ours - theirs if goal == "max" else theirs - ours
    both = f"{metric} {ours:.6g} against {theirs:.6g}, a gain of {gain:.6g}"
    return Verdict(gain >= min_gain - ROUNDING, gain, f"{both} where {min_gain:g} is asked for")


def plot(contenders: Mapping[str, Contender]) -> Any:
    """Draw the metrics of all contenders side by side; give the figure of matplotlib."""
    from matplotlib.figure import Figure

    names = list(next(iter(contenders.values())).metrics)
    # Metrics have scales of their own, so each has axes of its own.
    figure = Figure(figsize=(2.2 * len(names), 3.2), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        for role, contender in contenders.items():
            value = contender.metrics[name]
            bar = axes.bar(f"{role}\n{contender.version}", 0 if math.isnan(value) else value)
            axes.bar_label(bar, ["none" if math.isnan(value) else f"{value:.3g}"])
        axes.set_title(name)
        axes.margins(y=0.15)
    return figure
