"""Airflow's own records, as far as `notehive.airflow.metrics` tells of them."""

from airflow.utils.session import create_session
from sqlalchemy import text

from notehive.airflow.metrics import Records, Runs

RUNS = text("""
    SELECT dag_id, state, count(*),
      date_part('epoch', sum(end_date - start_date)), date_part('epoch', max(end_date))
    FROM dag_run GROUP BY dag_id, state
""")
TASKS = text("""
    SELECT state, count(*) FROM task_instance
    WHERE state IN ('scheduled', 'queued', 'running', 'deferred', 'up_for_retry', 'restarting')
    GROUP BY state
""")
ALIVE = text("""
    SELECT job_type, date_part('epoch', max(latest_heartbeat)) FROM job
    WHERE state = 'running' GROUP BY job_type
""")


def read() -> Records:
    """Ask the database."""
    with create_session() as session:
        return Records(
            [Runs(*row) for row in session.execute(RUNS)],
            [(state, number) for state, number in session.execute(TASKS)],
            [(part, since) for part, since in session.execute(ALIVE)],
        )
