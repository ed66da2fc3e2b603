"""Airflow behind the gate: what each user may do in it, and what nobody may."""
