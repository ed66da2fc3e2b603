"""The routes of MLflow that are open; whatever is not named here is closed, to everybody.

Closed are, among others: MLflow's own users, passwords and roles; making and removing workspaces;
webhooks, gateways and whatever else sends requests from the server; jobs and what runs as one.
"""

import re
from urllib.parse import parse_qsl

from notehive.gate.paths import is_plain

READ, WRITE = ("GET",), ("POST", "PATCH", "DELETE")
API = r"/(?:ajax-)?api/[23]\.0/mlflow"
FILES = r"/(?:ajax-)?api/2\.0/mlflow-artifacts/artifacts"
NAME = r"[^/]+"
# Where files of runs, models and traces are: below the number of their experiment.
PLACE = rf"(?:workspaces/{NAME}/)?\d+"
VERBS = (
    r"add-experiments|create|delete|delete-\w+(?:-\w+)?|get|get-by-name|list|log-\w+|outputs|"
    r"rename|restore|search|search-datasets|set-[\w-]+|transition-stage|update"
)

OPEN = [
    (("GET", "HEAD"), r"/|/version|/health|/static-files/.+"),
    (READ, rf"{API}/(?:server-info|ui-telemetry|workspaces(?:/{NAME})?)"),
    (READ, rf"{API}/users/current(?:/permissions)?"),
    (("GET", "POST"), r"/graphql"),
    # Experiments, runs and what is logged to them
    ((*READ, *WRITE), rf"{API}/(?:experiments|runs|datasets|label-schemas)/(?:{VERBS})"),
    (READ, rf"{API}/metrics/(?:get-history|get-history-bulk|get-history-bulk-interval)"),
    ((*READ, *WRITE), rf"{API}/logged-models(?:/.+)?"),
    ((*READ, *WRITE), rf"{API}/datasets/{NAME}(?:/(?:records|tags(?:/{NAME})?|[a-z-]+))?"),
    # The registry
    ((*READ, *WRITE), rf"{API}/(?:registered-models|model-versions)/(?:{VERBS}|alias)"),
    (READ, rf"{API}/(?:registered-models/get-latest-versions|model-versions/get-download-uri)"),
    (("POST",), rf"{API}/registered-models/get-latest-versions"),
    # Traces and how people judge them
    ((*READ, *WRITE), rf"{API}/traces(?:/.+)?"),
    (READ, rf"{API}/get-trace-artifact"),
    (("POST",), r"/v1/traces"),
    ((*READ, *WRITE), rf"{API}/review-queues/(?:items/)?[a-z-]+"),
    (("GET", "POST", "PATCH"), rf"{API}/issues(?:/(?!invoke$){NAME})?"),
    (("GET", "POST", "DELETE"), rf"{API}/scorers/(?:list|get|versions|register|delete)"),
    # Files
    (READ, rf"/get-artifact|/model-versions/get-artifact|{API}/artifacts/list|{FILES}"),
    (("GET", "PUT", "DELETE"), rf"{FILES}/{PLACE}/.+"),
]
PATTERNS = [(methods, re.compile(pattern)) for methods, pattern in OPEN]


def is_open(method: str, path: str, query: str = "") -> bool:
    """Whether MLflow is asked: for a method, a path as it was decoded once, and a raw query."""
    places = [value for key, value in parse_qsl(query, keep_blank_values=True) if key == "path"]
    if not all(is_plain(place) for place in (path, *places)):
        return False
    if re.fullmatch(FILES, path) and not (places and all(map(is_place, places))):
        return False  # the list of all files names the groups' workspaces
    return any(method in methods and pattern.fullmatch(path) for methods, pattern in PATTERNS)


def is_place(path: str) -> bool:
    """Whether files of one experiment are meant."""
    return bool(re.fullmatch(rf"{PLACE}(?:/.*)?", path))
