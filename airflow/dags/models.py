"""A DAG for each pipeline of each published model; asked for one, as for a run, only that."""

from airflow.sdk import get_parsing_context

from notehive.jobs import dags
from notehive.jobs.release import ROOT

for dag in dags.make(ROOT, get_parsing_context().dag_id):
    globals()[dag.dag_id] = dag
