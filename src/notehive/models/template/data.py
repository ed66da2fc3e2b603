"""Where the data come from. These customers are made up: put a query of your own here."""

import numpy as np
import pandas as pd

FEATURES = ["age", "months", "monthly", "contract"]
TARGET = "churned"


def load(rows: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Give customers, one a row: their features, and whether they have left."""
    random = np.random.default_rng(seed)
    customers = pd.DataFrame(
        {
            "age": random.normal(45, 15, rows).clip(18, 95).round(),
            "months": random.exponential(24, rows).round(),
            "monthly": random.normal(60, 20, rows).clip(10, 150).round(2),
            "contract": random.choice(["monthly", "yearly"], rows, p=[0.6, 0.4]),
        }
    )
    risk = (
        0.03 * (customers["monthly"] - 60)
        - 0.05 * (customers["months"] - 20)
        + 1.5 * (customers["contract"] == "monthly")
        - 1.5
    )
    customers[TARGET] = random.random(rows) < 1 / (1 + np.exp(-risk))
    return customers
