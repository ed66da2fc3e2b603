"""Who may do what to a DAG. Its name says whose it is: G.M.P, of group, model and pipeline."""

from collections.abc import Set

from notehive.airflow.identity import Identity


def group_of(dag: str) -> str:
    """Give the group that a DAG belongs to; nothing for one of the platform's own, or misnamed."""
    parts = dag.split(".")
    return parts[0] if len(parts) >= 3 and all(parts) else ""


def may(who: Identity, method: str, dag: str | None) -> bool:
    """Whether a user may do something to a DAG: see it (``GET``), or anything else.

    Without a DAG, all of them are meant. Of these everybody may ask: Airflow's answers hold those
    that `visible` gives. To change them at once is for administrators.
    """
    if who.admin:
        return True
    if dag is None:
        return method == "GET"
    group = group_of(dag)
    return who.sees(group) if method == "GET" else who.changes(group)


def visible(who: Identity, method: str, dags: Set[str]) -> set[str]:
    """Give those of these DAGs to which the user may do something."""
    return {dag for dag in dags if may(who, method, dag)}
