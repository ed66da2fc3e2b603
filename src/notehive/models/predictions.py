"""For notebooks: predictions that can be traced to their version, and what they turn out to be.

from notehive.models import predictions

predictions.keep(f"{run_dir}/predictions.parquet", features, predicted, version)
predictions.measure(f"{run_dir}/predictions.parquet", truth, key="customer", target="churned",
                    metric="accuracy")
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PREDICTION, VERSION, RUN, AT = "prediction", "model_version", "run", "predicted_at"


def keep(file: str | Path, features: Any, predicted: Any, version: str | int) -> None:
    """Add a row for each prediction to a Parquet file: features, prediction, version and run.

    What the same run has added before, in an earlier try, is replaced.
    """
    import pandas as pd

    file, run = Path(file), os.environ.get("NOTEHIVE_RUN", "by hand")
    if taken := {PREDICTION, VERSION, RUN, AT} & set(features.columns):
        raise ValueError(f"a feature cannot be called {', '.join(sorted(taken))}; rename it")
    rows = features.reset_index(drop=True).assign(
        **{PREDICTION: predicted, VERSION: str(version), RUN: run, AT: datetime.now(UTC)}
    )
    if file.exists():
        known = pd.read_parquet(file)
        rows = pd.concat([known[known[RUN] != run], rows], ignore_index=True)
    part = file.with_name(f"{file.name}.part")
    rows.to_parquet(part, index=False)
    part.replace(file)


def measure(file: str | Path, truth: Any, *, key: str, target: str, metric: str) -> Any:
    """Hold predictions against the truth that has arrived; give a DataFrame, a row a version.

    ``truth`` is a DataFrame with the columns ``key``, which the features have too, and ``target``.
    The metrics, those of ``metric``'s kind that need no probabilities, and a plot are logged to
    the run. Predictions whose truth is not known yet are left out.
    """
    import pandas as pd
    from matplotlib.figure import Figure

    import mlflow
    from notehive.models import scores

    known = pd.read_parquet(file).merge(
        truth[[key, target]].dropna(), on=key, validate="many_to_one"
    )
    found = {}
    for version, rows in known.groupby(VERSION):
        given = scores.Predicted(rows[target].to_numpy(), rows[PREDICTION].to_numpy())
        found[version] = {"rows": len(rows), **scores.score(given, metric)}
    table = pd.DataFrame.from_dict(found, orient="index").dropna(axis="columns", how="all")
    mlflow.active_run() or mlflow.start_run()
    for version, values in table.iterrows():
        mlflow.log_metrics({f"version_{version}/{name}": v for name, v in values.dropna().items()})
    if metric in table:
        figure = Figure(layout="constrained")
        axes = figure.subplots()
        axes.bar_label(axes.bar(table.index, table[metric]), fmt="%.3g")
        axes.set(xlabel="version", ylabel=metric)
        mlflow.log_figure(figure, f"{metric}_by_version.png")
    return table
