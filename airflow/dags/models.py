"""The DAGs of all published models; what they are made of is in src/notehive/jobs/."""

from pathlib import Path

from airflow.sdk import get_parsing_context

from notehive.jobs.dags import make

for dag in make(Path("/srv/models"), get_parsing_context().dag_id):
    globals()[dag.dag_id] = dag
