"""What Airflow asks of each DAG that it has read, before it takes it."""

from pathlib import Path
from typing import Any

from airflow.exceptions import AirflowClusterPolicyViolation

from notehive.jobs.release import ROOT


def dag_policy(dag: Any) -> None:
    """Refuse a DAG of a model's own that is called as if it were another's.

    Its name says whose it is, and with that who sees it and may run it.
    """
    path = Path(dag.fileloc)
    if not path.is_relative_to(ROOT):
        return
    group, model, *_ = path.relative_to(ROOT).parts
    if not dag.dag_id.startswith(f"{group}.{model}."):
        raise AirflowClusterPolicyViolation(
            f"{dag.dag_id}: the name of a DAG of {group}/{model} begins with {group}.{model}."
        )
