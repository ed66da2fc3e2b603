"""The report of drift as one page that needs nothing else: a table, and a plot of each column."""

import base64
import html
import re
from io import BytesIO
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from notehive.models.change import numbers

PLOTS = 40  # those that have changed most
CATEGORIES = 20  # of a plot
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 }
td, th { padding: .3em .8em; border-bottom: 1px solid #ddd; text-align: left }
.drifted { color: #b00020; font-weight: 600 }
figure { display: inline-block; margin: .5em }
"""


def page(reference: pd.DataFrame, current: pd.DataFrame, told: dict[str, Any]) -> str:
    """Give the page of HTML. ``told`` is what the step found."""
    columns: dict[str, Any] = told["columns"]
    order = sorted(columns, key=lambda name: -columns[name]["psi"])
    rows = "".join(_row(name, columns[name]) for name in order)
    plots = "".join(
        f'<figure><img alt="" src="{_plot(name, reference[name], current[name], columns[name])}">'
        f"<figcaption>{html.escape(name)}</figcaption></figure>"
        for name in order[:PLOTS]
    )
    limits, counts = told["limits"], told["rows"]
    return (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Drift</title>'
        f"<style>{STYLE}</style><h1>{'Drifted' if told['drifted'] else 'Not drifted'}</h1>"
        f"<p>{html.escape(told['reason'])}. {counts['current']} rows against {counts['reference']} "
        f"that version {html.escape(told['champion'])} was trained with. A column has drifted if "
        f"its corrected p-value is below {limits['ks_pvalue']} and its population stability index "
        f"at least {limits['psi']}.</p>"
        "<table><tr><th>column<th>compared as<th>p-value<th>stability index<th></tr>"
        f"{rows}</table>{plots}</html>"
    )


def metric_name(column: str) -> str:
    """Give a column's name as MLflow takes it in a metric's."""
    return re.sub(r"[^\w .:/-]", "_", column)


def _row(name: str, column: dict[str, Any]) -> str:
    said = '<td class="drifted">drifted' if column["drifted"] else "<td>"
    return (
        f"<tr><td>{html.escape(name)}<td>{column['kind']}<td>{column['p_value']:.3g}"
        f"<td>{column['psi']:.3f}{said}</tr>"
    )


def _plot(name: str, reference: pd.Series, current: pd.Series, column: dict[str, Any]) -> str:
    """Draw shares of the reference and of now; give the picture as an address of its own."""
    figure = Figure(figsize=(4, 2.5), layout="constrained")
    axes = figure.subplots()
    both = {"reference": reference, "current": current}
    if column["kind"] == "numbers":
        values = [numbers(each) for each in both.values()]
        weights = [[1 / max(len(each), 1)] * len(each) for each in values]
        axes.hist(values, bins=20, weights=weights, label=list(both))
    else:
        shares = pd.DataFrame(
            {key: each.astype(str).value_counts(normalize=True) for key, each in both.items()}
        ).fillna(0)
        shares.head(CATEGORIES).plot.bar(ax=axes, legend=False)
    axes.legend(list(both), fontsize="small")
    axes.set_xlabel(name)
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=80)
    return f"data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}"
