"""The routes of Airflow that are open; whatever is not named here is closed, to everybody.

Rights to DAGs are Airflow's to ask, of `notehive.airflow.auth`. What Airflow shows without regard
to them (assets, files that cannot be read, who did what) is for administrators.
"""

import re
from collections.abc import Iterable

from notehive.gate.paths import is_plain

SEE, CHANGE = ("GET",), ("POST", "PATCH", "PUT", "DELETE")
ALL = (*SEE, *CHANGE)
API = "/api/v2"
NAME = r"[^/]+"
UI = (
    r"backfills|calendar|config|dags|dashboard|dependencies|gantt|grid|next_run_assets|"
    r"partitioned_dag_runs|pending_partitioned_dag_run|structure"
)

OPEN = [
    # The page, whose addresses are those of its views, and its files
    (("GET", "HEAD"), r"/(?!(?:api|ui|auth|docs|execution|redoc|pluginsv2)(?:/|$)|openapi)(?:.+)?"),
    (SEE, rf"/auth/login|{API}/auth/(?:login|logout)"),
    (SEE, rf"/ui/(?:auth/(?:menus|me)|(?:{UI})(?:/.+)?)"),
    (SEE, rf"{API}/(?:version|monitor/health)"),
    # DAGs, their runs and tasks, and what belongs to them
    (ALL, rf"{API}/(?:dags|backfills)(?:/.+)?"),
    (SEE, rf"{API}/(?:dagSources/{NAME}|dagStats|dagTags|dagWarnings|eventLogs)"),
    (("PUT",), rf"{API}/parseDagFile/{NAME}"),
    (SEE, rf"{API}/pools(?:/{NAME})?"),
]
ADMINISTRATORS = [
    (ALL, rf"{API}/(?:assets|connections|pools|variables)(?:/.+)?"),
    (SEE, rf"{API}/(?:config|eventLogs|importErrors)(?:/.+)?"),
    (SEE, rf"{API}/(?:dagBundles|jobs|plugins|plugins/importErrors|providers)"),
    (SEE, r"/ui/(?:connections/hook_meta|teams)"),
]
# What Airflow's own parts ask, with tokens of Airflow's
INNER = [
    ((*ALL, "HEAD"), r"/execution/.+"),
    (SEE, rf"{API}/monitor/health"),
]
Routes = Iterable[tuple[tuple[str, ...], str]]  # methods, and a pattern of the whole path


def is_open(method: str, path: str, *, admin: bool) -> bool:
    """Whether Airflow is asked: for a method, and a path below /airflow as it was decoded once."""
    routes = [*OPEN, *ADMINISTRATORS] if admin else OPEN
    return is_plain(path) and _is_named(method, path, routes)


def is_inner(method: str, path: str) -> bool:
    """Whether one of Airflow's own parts may ask for this."""
    return _is_named(method, path, INNER)


def _is_named(method: str, path: str, routes: Routes) -> bool:
    # Python keeps compiled patterns.
    return any(method in methods and re.fullmatch(p, path) for methods, p in routes)
