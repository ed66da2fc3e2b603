"""What running a notebook as a step costs, beside papermill's own command.

usage: python -m bench.notebook IMAGE [PAIRS]

Both run the same notebook of 21 cells in one container of a notebook image, in turn: `papermill
in.ipynb out.ipynb`, and the command of a job with tracking switched off. Measured from the start
of the process to its end: seconds, and CPU seconds with those of the kernel. Writes
bench/results/notebook.json.
"""

import json
import sys
from typing import Any

from bench.result import RESULTS, Begun, circumstances, write
from bench.stats import ratio, summary
from tests.support.site import docker

PAIRS = 30
MODEL_YML = """
name: bench
image: datascience
size: small
pipelines:
  train: {tracking: off, parameters: {x: 2}, steps: [train.ipynb]}
"""
# Runs in the container, so that what Docker takes is in no figure.
DRIVER = """
import json, os, resource, subprocess, sys, time
from pathlib import Path

cells = ["x = 1", *(f"y = sum(range({number}000 * x)); print(y)" for number in range(20))]
code = [
    {"cell_type": "code", "id": f"c{number}", "source": source, "outputs": [],
     "execution_count": None, "metadata": {} if number else {"tags": ["parameters"]}}
    for number, source in enumerate(cells)
]
metadata = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"},
            "language_info": {"name": "python"}}
os.makedirs("/tmp/model/run", exist_ok=True)
os.chdir("/tmp/model")
Path("train.ipynb").write_text(
    json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": code})
)
Path("model.yml").write_text(os.environ["MODEL_YML"])
empty = ("COMMIT", "DATA_INTERVAL_END", "DATA_INTERVAL_START", "IMAGE", "LOGICAL_DATE")
job = {f"NOTEHIVE_{name}": "" for name in empty} | {
    "NOTEHIVE_GROUP": "lab", "NOTEHIVE_MODEL": "bench", "NOTEHIVE_PARAMETERS": "{}",
    "NOTEHIVE_PIPELINE": "train", "NOTEHIVE_RUN": "run", "NOTEHIVE_RUN_DIR": "/tmp/model/run",
    "NOTEHIVE_STEP": "train", "NOTEHIVE_TRY": "1",
}
rows = {
    "papermill": ["papermill", "train.ipynb", "out.ipynb", "-p", "x", "2"],
    "step": ["python3", "-P", "-m", "notehive.models.step"],
}
for number in range(int(sys.argv[1]) + 1):
    for row, command in rows.items():
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run(command, env={**os.environ, **job}, check=True, capture_output=True)
        seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if number:  # the first fills the page cache
            print(json.dumps({"row": row, "seconds": seconds, "cpu_seconds": used}), flush=True)
"""


def measure(image: str, pairs: int) -> list[dict[str, Any]]:
    """Run both so often in a container of the image; give the figures of each run."""
    output = docker(
        "run",
        "--rm",
        "--init",
        f"--env=MODEL_YML={MODEL_YML}",
        image,
        *("python3", "-c", DRIVER, str(pairs)),
    )
    return [json.loads(line) for line in output.splitlines()]


def main() -> None:
    """Measure and write the result."""
    image = sys.argv[1]
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else PAIRS
    begun = Begun.now()
    runs = measure(image, pairs)
    found: dict[str, Any] = {}
    for figure in ("seconds", "cpu_seconds"):
        rows = {
            row: [run[figure] for run in runs if run["row"] == row] for row in ("papermill", "step")
        }
        found[figure] = {row: summary(values) for row, values in rows.items()}
        share = ratio(rows["step"], rows["papermill"])
        found[figure]["step's part"] = share and share._asdict()
    result = {
        **circumstances(f"python -m bench.notebook {image} {pairs}", begun),
        "pairs": pairs,
        **found,
    }
    write(RESULTS / "notebook.json", result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
