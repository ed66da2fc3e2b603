"""The model. Its preprocessing is part of it, so whoever loads it hands it raw features."""

from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def build(C: float = 1.0) -> Pipeline:  # noqa: N803 - as scikit-learn calls it
    """Give a classifier of customers that is not trained yet."""
    preprocessing = make_column_transformer(
        (StandardScaler(), ["age", "months", "monthly"]),
        (OneHotEncoder(handle_unknown="ignore"), ["contract"]),
    )
    return make_pipeline(preprocessing, LogisticRegression(C=C, max_iter=1000))
