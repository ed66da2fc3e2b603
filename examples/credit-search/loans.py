"""Where the data come from. These loans are made up: put a query of your own here."""

import numpy as np
import pandas as pd

NUMBERS = ["age", "income", "amount", "debt", "employed"]
CATEGORIES = ["purpose"]
FEATURES = [*NUMBERS, *CATEGORIES]
TARGET = "defaulted"


def load(rows: int = 4000, seed: int = 0) -> pd.DataFrame:
    """Give loans, one a row: what was known when they were given, and how they ended."""
    random = np.random.default_rng(seed)
    loans = pd.DataFrame(
        {
            "age": random.normal(42, 12, rows).clip(18, 80).round(),
            "income": random.lognormal(10.4, 0.5, rows).round(-2),
            "amount": random.lognormal(9.2, 0.7, rows).round(-2),
            "debt": random.gamma(1.5, 4000, rows).round(-2),
            "employed": random.exponential(7, rows).round(1),
            "purpose": random.choice(
                ["car", "home", "study", "other"], rows, p=[0.4, 0.3, 0.1, 0.2]
            ),
        }
    )
    burden = (loans["amount"] + loans["debt"]) / loans["income"]
    # Not a straight line, so that there is something to be found.
    risk = (
        2.0 * np.tanh(burden - 0.9)
        - 0.15 * np.minimum(loans["employed"], 8)
        + 0.9 * ((loans["purpose"] == "other") & (loans["age"] < 30))
        - 1.2
    )
    loans[TARGET] = random.random(rows) < 1 / (1 + np.exp(-risk))
    return loans
