"""What it costs to run a notebook as a job, beside a bare container, and beside stock Airflow.

usage: python -m bench.batch [--quick]    (on a machine that does nothing else)

The notebook has 21 cells with next to nothing to do. First it is run in turn, A B C D A B C D, in
the same image with the same limits: as a job of the Swarm by Notehive, the same tracked in MLflow,
the job's command by `docker run`, and plain papermill by `docker run`. Then, A B A B, from the
moment that Airflow queues its run: by Notehive's Airflow, and by stock Airflow with
PapermillOperator. Writes bench/results/batch.json.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bench import cells, chain, costs, factory, stock_airflow
from bench.chain import Chain
from bench.result import RESULTS, Begun, circumstances, write
from bench.ways import PAPERMILL, Times, Ways
from notehive import docker
from notehive.jobs import service
from tests.support import jobs, releases
from tests.support.airflow import Asker
from tests.support.hub import user
from tests.support.site import Site, wait_for

MODEL = "bench"
ROUNDS, CHAINS = 24, 12  # of each
VERSIONS = """
import importlib.metadata, json, sys
print(json.dumps({name: importlib.metadata.version(name) for name in sys.argv[1:]}))
"""
NOTEBOOKS = ("papermill", "jupyter-client", "ipykernel")
PEERS = ("apache-airflow-core", "apache-airflow-providers-papermill", *NOTEBOOKS)


def say(line: str) -> None:
    """Show how far it is."""
    print(line, flush=True)


async def runs(site: Site, begun: service.Begun, rounds: int) -> dict[str, list[Times]]:
    """Run the notebook in each way in turn; the first round is not counted."""
    found: dict[str, list[Times]] = {}
    with jobs.ports(site) as ports:
        async with jobs.platform(site, ports) as platform:
            ways = Ways(platform, MODEL, begun)
            kinds: dict[str, Callable[[str], Awaitable[Times]]] = {
                "job": lambda run: ways.as_job("plain", run),
                "tracked job": lambda run: ways.as_job("tracked", run),
                "docker run": lambda run: ways.in_container(service.COMMAND, f"step-{run}"),
                "papermill": lambda run: ways.in_container(PAPERMILL, f"papermill-{run}"),
            }
            for number in range(-1, rounds):
                times = {name: await way(f"n{number + 1}") for name, way in kinds.items()}
                shown = ", ".join(f"{name} {each.total:.2f} s" for name, each in times.items())
                say(f"{number + 1}/{rounds}   {shown}")
                if number >= 0:
                    for name, each in times.items():
                        found.setdefault(name, []).append(each)
    return found


def chains(site: Site, begun: service.Begun, rounds: int) -> dict[str, list[Chain]]:
    """Have both Airflows run it in turn; the first round is not counted."""
    with tempfile.TemporaryDirectory() as directory:
        text = cells.MODEL.format(name=MODEL)
        factory.publish(Path(directory), MODEL, text, begun)
        releases.copy(site, Path(directory))
    found: dict[str, list[Chain]] = {"notehive": [], "stock": []}
    dag = f"{factory.GROUP}.{MODEL}.plain"
    notebooks = {"work.ipynb": cells.work()}
    images = (site.image("airflow"), site.image("postgres"))
    with (
        stock_airflow.stock(*images, notebooks, steps=1) as stock,
        user(site, "bench", "--group", factory.GROUP) as person,
    ):
        asker = Asker(site, person.token)
        wait_for(f"the DAG {dag}", lambda: asker.ask("GET", f"/dags/{dag}").status == 200, 180)
        for number in range(-1, rounds):
            ours, theirs = chain.as_jobs(asker, dag, site.name), chain.in_airflow(stock, "work")
            say(f"{number + 1}/{rounds}   notehive {ours}\n      stock {theirs}")
            if number >= 0:
                found["notehive"].append(ours)
                found["stock"].append(theirs)
    return found


def versions(image: str, names: tuple[str, ...]) -> dict[str, str]:
    """Give the versions of packages in an image."""
    run = ("run", "--rm", "--network=none", "--entrypoint", "python3", image, "-c", VERSIONS)
    found: dict[str, str] = json.loads(docker.output(*run, *names))
    return found


def measure(site: Site, rounds: int, chain_rounds: int) -> dict[str, Any]:
    """Measure all; give the figures and the versions."""
    begun = factory.build(site, MODEL, cells.project(MODEL))
    figures = {"runs": costs.of_runs(asyncio.run(runs(site, begun, rounds)))}
    figures["chains"] = costs.of_chains(chains(site, begun, chain_rounds))
    return {
        "versions": {
            "notehive": versions(site.image("notebooks-base"), NOTEBOOKS),
            "stock": versions(stock_airflow.NAME, PEERS),
        },
        "figures": figures,
    }


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="few repetitions; keeps no result")
    quick = parser.parse_args().quick
    begun = Begun.now()
    with factory.factory() as site:
        measured = measure(site, *((3, 2) if quick else (ROUNDS, CHAINS)))
    result = {**circumstances("python -m bench.batch", begun), **measured}
    if not quick:
        write(RESULTS / "batch.json", result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
