"""What the model sees of a shop's months."""

from datetime import date

import pandas as pd

FEATURES = ["shop", "month_of_year", "last", "mean_of_three", "year_ago"]
TARGET = "units"


def first_of(day: str | None) -> date:
    """Give the first of the month of a date in ISO format, or of today's."""
    return (date.fromisoformat(day[:10]) if day else date.today()).replace(day=1)


def before(month: date, months: int) -> date:
    """Give the first of the month so many months before."""
    return (pd.Timestamp(month) - pd.DateOffset(months=months)).date()


def table(orders: pd.DataFrame, coming: date) -> pd.DataFrame:
    """Give a row for each shop and month with a year before it, the coming one without units."""
    by_month = orders.groupby([orders["day"].dt.to_period("M"), "shop"])["units"].sum().unstack()
    by_month.loc[pd.Period(coming, "M")] = float("nan")
    found = pd.DataFrame(
        {
            TARGET: by_month.stack(future_stack=True),
            "last": by_month.shift(1).stack(future_stack=True),
            "mean_of_three": by_month.shift(1).rolling(3).mean().stack(future_stack=True),
            "year_ago": by_month.shift(12).stack(future_stack=True),
        }
    ).reset_index(names=["month", "shop"])
    found["month_of_year"] = found["month"].dt.month
    found["month"] = found["month"].astype(str)  # as 2026-12
    return found[found["year_ago"].notna()].reset_index(drop=True)
