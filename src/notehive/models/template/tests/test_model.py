"""What must hold before a version is released: run in the image that is about to be."""

from data import FEATURES, TARGET, load
from model import build
from sklearn.metrics import roc_auc_score


def test_data_have_all_columns():
    customers = load(rows=50)
    assert list(customers.columns) == [*FEATURES, TARGET]
    assert not customers.isna().any().any()


def test_model_is_better_than_chance():
    seen, unseen = load(rows=500, seed=1), load(rows=500, seed=2)
    model = build().fit(seen[FEATURES], seen[TARGET])
    scores = model.predict_proba(unseen[FEATURES])[:, 1]
    assert roc_auc_score(unseen[TARGET], scores) > 0.7
