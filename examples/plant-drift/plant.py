"""Where the readings come from. These are made up: put a query of your own here."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

FEATURES = ["temperature", "vibration", "pressure", "speed"]
TARGET = "failed"
PUMPS = 120
OTHER_THERMOMETERS = date(2026, 6, 1)  # which read so much higher
DEGREES = 9.0


def load(until: date, days: int) -> pd.DataFrame:
    """Give the readings of so many days before a date: a row for each pump and day."""
    return pd.concat(
        [_day(until - timedelta(days=number)) for number in range(days, 0, -1)], ignore_index=True
    )


def _day(day: date) -> pd.DataFrame:
    """Give a day's readings, the same ones whenever they are asked for."""
    random = np.random.default_rng([day.year, day.month, day.day])
    wear = random.beta(2, 5, PUMPS)
    heat = 60 + 25 * wear + random.normal(0, 3, PUMPS)
    readings = pd.DataFrame(
        {
            "day": day.isoformat(),
            "pump": np.arange(PUMPS),
            "temperature": heat + (DEGREES if day >= OTHER_THERMOMETERS else 0),
            "vibration": 1 + 4 * wear + random.gamma(2, 0.3, PUMPS),
            "pressure": random.normal(5, 0.4, PUMPS) - wear,
            "speed": random.normal(1450, 20, PUMPS),
        }
    ).round(2)
    risk = 0.3 * (heat - 72) + 1.2 * (readings["vibration"] - 3.5) - 1.5
    readings[TARGET] = random.random(PUMPS) < 1 / (1 + np.exp(-risk))
    return readings
