"""The peer's DAGs: the same notebook, and a few that only wait, at once."""

import os

from airflow.providers.papermill.operators.papermill import PapermillOperator
from airflow.sdk import DAG

STEPS = int(os.environ["STEPS"])


def step(name: str, notebook: str) -> None:
    """Add a notebook to the DAG that is being made."""
    PapermillOperator(
        task_id=name,
        input_nb=f"/opt/notebooks/{notebook}.ipynb",
        output_nb="/tmp/{{ run_id }}-{{ task.task_id }}.ipynb",
        parameters={"run_dir": "/tmp"},
    )


with DAG("work", schedule=None, is_paused_upon_creation=False):
    step("work", "work")

with DAG("wait", schedule=None, is_paused_upon_creation=False):
    for number in range(STEPS):
        step(f"wait{number}", "wait")
