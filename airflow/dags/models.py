"""A DAG for each pipeline of each published model; asked for one, as for a run, only that."""

from pathlib import Path

from airflow.sdk import get_parsing_context

from notehive.jobs import dags

for dag in dags.make(Path("/srv/models"), get_parsing_context().dag_id):
    globals()[dag.dag_id] = dag
