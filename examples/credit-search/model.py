"""The model. Its preprocessing is part of it, so whoever loads it hands it raw features."""

from typing import Any

from loans import CATEGORIES, NUMBERS
from optuna import Trial
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder


def build(**hyperparameters: Any) -> Pipeline:
    """Give a classifier of loans that is not trained yet."""
    preprocessing = make_column_transformer(
        ("passthrough", NUMBERS),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORIES),
    )
    classifier = HistGradientBoostingClassifier(random_state=0, **hyperparameters)
    return make_pipeline(preprocessing, classifier)


def suggest(trial: Trial) -> dict[str, Any]:
    """Give the hyper-parameters that a trial tries."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.5, log=True),
        "max_iter": trial.suggest_int("max_iter", 20, 200),
        "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 4, 64, log=True),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 5, 100, log=True),
        "l2_regularization": trial.suggest_float("l2_regularization", 1e-3, 10, log=True),
    }
