"""Makes DAGs as a task of Airflow's does, in a process of its own; runs in Airflow's image.

usage: making_probe.py [DAG]      all DAGs of the file, without the name of one

Airflow itself is imported before, as it is in the process that a task is forked from; what the DAG
file imports is not. Standard output: JSON, of seconds (`importing` is the part of the file's
imports), and of bytes that are this process's own.
"""

import json
import re
import sys
import time
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk.definitions._internal.dag_parsing_context import (
    _airflow_parsing_context_manager,
)
from airflow.sdk.execution_time import task_runner

DAGS = Path("/opt/notehive/airflow/dags")


def memory() -> int:
    """Give the memory that this process shares with no other."""
    rollup = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8")
    return sum(int(size) << 10 for size in re.findall(r"^Private_\w+:\s+(\d+)", rollup, re.M))


def main() -> None:
    """Make them, measure, print."""
    assert task_runner
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    context = _airflow_parsing_context_manager(dag_id=only, task_id="train")
    before, began = memory(), time.perf_counter()
    import_module("notehive.jobs.dags")
    importing = time.perf_counter() - began
    with context if only else nullcontext():
        bag = BundleDagBag(
            dag_folder=str(DAGS / "models.py"),
            safe_mode=False,
            load_op_links=False,
            bundle_path=DAGS,
            bundle_name="pipelines",
        )
    seconds = time.perf_counter() - began
    if bag.import_errors:
        raise RuntimeError(bag.import_errors)
    found = {"dags": len(bag.dags), "seconds": seconds, "importing": importing}
    print(json.dumps({**found, "bytes": memory() - before}))


if __name__ == "__main__":
    main()
