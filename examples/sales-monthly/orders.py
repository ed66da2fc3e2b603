"""Where the orders come from. These are made up: put a query of your own here."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

SHOPS = ["Aachen", "Bonn", "Celle", "Dresden", "Essen", "Fulda", "Gera", "Halle"]
LEVEL = np.array([40, 25, 12, 55, 48, 15, 9, 30])  # units sold in a day


def load(first: date, until: date) -> pd.DataFrame:
    """Give the orders from a first day until before another one: day, shop, units."""
    days = [first + timedelta(days=number) for number in range((until - first).days)]
    return pd.concat([_day(day) for day in days], ignore_index=True)


def _day(day: date) -> pd.DataFrame:
    """Give a day's orders, the same ones whenever it is asked for."""
    random = np.random.default_rng([day.year, day.month, day.day])
    season = 1 + 0.3 * np.cos((day.month - 12) / 12 * 2 * np.pi)  # more in winter
    growth = 1 + 0.1 * (day - date(2020, 1, 1)).days / 365
    units = random.poisson(LEVEL * season * growth)
    return pd.DataFrame({"day": pd.Timestamp(day), "shop": SHOPS, "units": units})
