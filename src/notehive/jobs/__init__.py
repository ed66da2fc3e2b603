"""Steps of published models as jobs of the Swarm, and the DAGs by which Airflow runs them.

`job` and what it is made of know nothing of Airflow; `trigger`, `operator` and `dags` are what
Airflow loads.
"""
