"""What must hold before a version is released: run in the image that is about to be."""

import optuna
from loans import FEATURES, TARGET, load
from model import build, suggest
from sklearn.metrics import roc_auc_score


def test_model_is_better_than_chance():
    seen, unseen = load(rows=1000, seed=1), load(rows=1000, seed=2)
    model = build(max_iter=50).fit(seen[FEATURES], seen[TARGET])
    scores = model.predict_proba(unseen[FEATURES])[:, 1]
    assert roc_auc_score(unseen[TARGET], scores) > 0.7


def test_whatever_is_suggested_can_be_trained():
    loans = load(rows=300)
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(sampler=sampler)
    for _ in range(3):
        build(**suggest(study.ask())).fit(loans[FEATURES], loans[TARGET])
