"""Where Airflow looks for policies."""

from notehive.airflow.policy import dag_policy

__all__ = ["dag_policy"]
