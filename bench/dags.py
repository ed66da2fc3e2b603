"""What many models cost Airflow: 200 that are published, and 100 steps that run at once.

usage: python -m bench.dags [--quick]    (on a machine that does nothing else)

1. Making: the time and the memory of making one DAG from the DAG file, as a task does, and of
   making all, each in a process of its own, in turn.
2. The peer: what Airflow's memory grows by with each notebook that PapermillOperator runs.
3. The memory of Airflow's services with 200 models published, after five idle minutes, and while
   100 steps run at once, in 10 runs of 10 pipelines. The steps only wait, in a small image.

Writes bench/results/dags.json.
"""

import argparse
import json
from typing import Any

from bench import cells, factory, growth, making, memory, stock_airflow
from bench.result import RESULTS, Begun, circumstances, write
from tests.support.site import wait_for

MODELS, ROUNDS = 200, 7
STEPS, STOCK_STEPS = 100, 4
IDLE_SECONDS = 300


def peer(airflow: str, postgres: str, steps: int) -> dict[str, Any]:
    """Give what stock Airflow's memory grows by while notebooks wait (MiB), for each of them."""

    def look() -> dict[str, int]:
        kernels = stock.kernels()
        return {"airflow": memory.used(stock_airflow.NAME) - kernels, "kernels": kernels}

    notebooks = {"work.ipynb": cells.work(), "wait.ipynb": cells.wait(growth.WAIT_SECONDS)}
    with stock_airflow.stock(airflow, postgres, notebooks, steps) as stock:
        stock.ended(stock.run("work"))  # whatever is imported once is imported
        before = memory.steady(look)
        print(f"stock, idle: {before} MiB", flush=True)
        stock.run("wait")
        wait_for("the peer's steps", lambda: stock.at_work() == steps, 300)
        during = memory.steady(look)
        print(f"stock, while {steps} steps run: {during} MiB", flush=True)
    return {
        "steps": steps,
        "idle_mib": before["airflow"],
        "for_each_step_mib": {
            what: round((during[what] - before[what]) / steps, 1) for what in ("airflow", "kernels")
        },
    }


def measure(quick: bool) -> dict[str, Any]:
    """Measure all; give the figures."""
    with factory.factory() as site:
        airflow, postgres = site.image("airflow"), site.image("postgres")
        found = {"making": making.measure(airflow, MODELS, 2 if quick else ROUNDS)}
        found["stock"] = peer(airflow, postgres, STOCK_STEPS)
        steps, idle_seconds = (20, 30) if quick else (STEPS, IDLE_SECONDS)
        found["notehive"] = growth.measure(site, MODELS, steps, idle_seconds)
    return found


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="few repetitions; keeps no result")
    quick = parser.parse_args().quick
    begun = Begun.now()
    figures = measure(quick)
    result = {**circumstances("python -m bench.dags", begun), "figures": figures}
    if not quick:
        write(RESULTS / "dags.json", result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
