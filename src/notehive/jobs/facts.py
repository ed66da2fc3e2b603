"""What Airflow's context says of a run, as JSON."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

STARTED_BY = "started_by"  # key of a run's conf: what `times` gave of the run that started it
TOLD = "told"  # key of the XCom that holds what a step told those who come after it
UNWANTED = "There is no drift, so this is skipped."


def of(context: Mapping[str, Any]) -> dict[str, Any]:
    """Give the arguments of `Attempt` that are of the run."""
    # The pipeline's own, with what somebody has edited for this run; its conf may hold more.
    names = context["dag"].params
    return {
        "run": context["dag_run"].run_id,
        "number": context["ti"].try_number,
        "parameters": {name: context["params"][name] for name in names},
        **times(context["dag_run"]),
    }


def times(run: Any) -> dict[str, str]:
    """Give what a DAG run is about: if another one started it, what that is about."""
    given = (run.conf or {}).get(STARTED_BY, {})
    return {
        "logical_date": given.get("logical_date") or _iso(run.logical_date),
        "interval_start": given.get("interval_start") or _iso(run.data_interval_start),
        "interval_end": given.get("interval_end") or _iso(run.data_interval_end),
    }


def told(pulled: Any) -> Mapping[str, Any]:
    """Give what a step told, from the XCom; nothing if it told nothing.

    An XCom that came with a trigger's event Airflow has encoded twice.
    """
    found = json.loads(pulled) if isinstance(pulled, str) else pulled
    return found or {}


def wanted(told: Mapping[str, Any]) -> bool:
    """Say whether what `drift` told asks for the steps with `when: drifted`."""
    return bool(told.get("drifted"))


def _iso(time: datetime | None) -> str:
    return time.isoformat() if time else ""
