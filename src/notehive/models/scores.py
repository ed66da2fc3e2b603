"""What a model is worth on data whose truth is known: metrics by scikit-learn."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn import metrics as sk

from notehive.models.step.failure import Failed


class Predicted(NamedTuple):
    """Predictions beside the truth. ``chance`` is a column for each class, if the model has it."""

    truth: Any
    predicted: Any
    chance: Any = None


Metric = Callable[[Predicted], float]


def _average(given: Predicted) -> dict[str, Any]:
    classes = np.unique(given.truth)
    if len(classes) > 2:
        return {"average": "macro"}
    return {"pos_label": classes[-1]}


def _chance(given: Predicted) -> Any:
    if given.chance is None:
        raise ValueError("the model gives no probabilities")
    return given.chance[:, 1] if given.chance.shape[1] == 2 else given.chance


CLASSES: dict[str, Metric] = {
    "accuracy": lambda g: sk.accuracy_score(g.truth, g.predicted),
    "balanced_accuracy": lambda g: sk.balanced_accuracy_score(g.truth, g.predicted),
    "f1": lambda g: sk.f1_score(g.truth, g.predicted, zero_division=0, **_average(g)),
    "precision": lambda g: sk.precision_score(g.truth, g.predicted, zero_division=0, **_average(g)),
    "recall": lambda g: sk.recall_score(g.truth, g.predicted, zero_division=0, **_average(g)),
    "roc_auc": lambda g: sk.roc_auc_score(g.truth, _chance(g), multi_class="ovr"),
    "average_precision": lambda g: sk.average_precision_score(g.truth, _chance(g)),
    "log_loss": lambda g: sk.log_loss(g.truth, g.chance),
}
NUMBERS: dict[str, Metric] = {
    "r2": lambda g: sk.r2_score(g.truth, g.predicted),
    "rmse": lambda g: sk.root_mean_squared_error(g.truth, g.predicted),
    "mae": lambda g: sk.mean_absolute_error(g.truth, g.predicted),
    "mape": lambda g: sk.mean_absolute_percentage_error(g.truth, g.predicted),
    "max_error": lambda g: sk.max_error(g.truth, g.predicted),
}


def kind(metric: str) -> dict[str, Metric]:
    """Give the metrics of a metric's kind, itself among them; raise Failed if it is unknown."""
    for metrics in (CLASSES, NUMBERS):
        if metric in metrics:
            return metrics
    known = ", ".join([*CLASSES, *NUMBERS])
    raise Failed(f"model.yml, promote, metric: {metric} is none of {known}")


def score(given: Predicted, metric: str) -> dict[str, float]:
    """Give all metrics of this metric's kind. What cannot be computed is NaN."""
    found = {}
    for name, compute in kind(metric).items():
        try:
            found[name] = float(compute(given))
        except (AttributeError, TypeError, ValueError):  # of one class only, no probabilities, NaN
            found[name] = math.nan
    return found


def predict(model: Any, features: Any, truth: Any, metric: str) -> Predicted:
    """Have a model of ``mlflow.pyfunc`` predict from the columns of its signature.

    Probabilities are the model's own if it has any, or what it predicts, if those are numbers
    where classes are expected. Raise Failed if a column is missing.
    """
    schema = model.metadata.get_input_schema()
    if schema and schema.has_input_names():
        wanted = [column.name for column in schema.inputs if column.required]
        if missing := [name for name in wanted if name not in features]:
            raise Failed(f"has no column {', '.join(missing)}, which the model was trained with")
        features = features[[name for name in schema.input_names() if name in features]]
    predicted, chance = np.asarray(model.predict(features)), None
    if kind(metric) is CLASSES:
        raw = model.get_raw_model()
        classes = np.unique(truth)
        if hasattr(raw, "predict_proba"):
            chance = np.asarray(raw.predict_proba(features))
        elif predicted.ndim == 2:
            chance = predicted
        elif predicted.dtype.kind == "f" and len(classes) == 2:
            chance = np.column_stack([1 - predicted, predicted])
        if chance is not None and predicted.dtype.kind == "f" and chance.shape[1] == len(classes):
            predicted = classes[chance.argmax(axis=1)]
    return Predicted(np.asarray(truth), predicted, chance)
