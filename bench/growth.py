"""The memory of Airflow's services on a site: idle, and while steps run."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import factory, making, memory
from notehive import docker
from tests.support import jobs, releases
from tests.support.airflow import Asker
from tests.support.hub import user
from tests.support.site import Site, wait_for

MODEL = "waiting"
PIPELINES = 10
WAIT_SECONDS = 3600  # of a step; it is removed long before
SETTLE_SECONDS = 30  # after the last step has started


def declared(pipelines: int, steps: int) -> str:
    """Give the model.yml of a model whose pipelines have steps that run at once, and wait."""
    program = json.dumps(f"import time; time.sleep({WAIT_SECONDS})")
    each = "".join(f"\n      - {{run: s{number}.ipynb, needs: []}}" for number in range(steps))
    every = "".join(
        f"\n  p{number}:\n    parameters: {{do: {program}}}\n    steps:{each}"
        for number in range(pipelines)
    )
    return f"name: {MODEL}\nimage: base\nsize: small\npipelines:{every}\n"


def publish(site: Site, models: int, steps: int) -> list[str]:
    """Publish so many models, and one whose steps can wait; give the DAGs of that one."""
    with tempfile.TemporaryDirectory() as directory:
        image, published = Path(directory, "image"), Path(directory, "published")
        image.mkdir()
        published.mkdir()
        begun = jobs.release(site, image, factory.GROUP, MODEL)
        making.publish(published, models)
        factory.publish(published, MODEL, declared(PIPELINES, steps // PIPELINES), begun)
        releases.copy(site, published)
    return [f"{factory.GROUP}.{MODEL}.p{number}" for number in range(PIPELINES)]


def measure(site: Site, models: int, steps: int, idle_seconds: float) -> dict[str, Any]:
    """Give the memory with so many models published, and while so many steps run (MiB)."""

    def look() -> dict[str, int]:
        return memory.of_airflow(site)

    dags = publish(site, models, steps)
    with user(site, "bench", "--group", factory.GROUP) as person:
        asker = Asker(site, person.token)
        wait_for("the DAGs", lambda: all(asker.may("GET", f"/dags/{dag}") for dag in dags), 300)
        print(f"waiting {idle_seconds} s for Airflow to be idle", flush=True)
        time.sleep(idle_seconds)
        idle = memory.steady(look)
        print(f"idle: {idle} MiB", flush=True)
        runs = [asker.run(dag) for dag in dags]
        wait_for("the steps", lambda: running(site, steps), 600)
        time.sleep(SETTLE_SECONDS)
        during = memory.steady(look)
        print(f"while {steps} steps run: {during} MiB", flush=True)
        if states := {asker.told(run)["state"] for run in runs} - {"running"}:
            raise RuntimeError(f"there are runs that are {states}: their steps should only wait")
    return {
        "models": models,
        "steps": steps,
        "idle_mib": idle,
        "running_mib": during,
        "growth_mib": {name: round(during[name] - idle[name], 1) for name in idle},
    }


def running(site: Site, steps: int) -> bool:
    """Whether so many jobs run."""
    labels = (f"notehive.stack={site.name}", "notehive.kind=job")
    found = docker.output("ps", "--quiet", *(f"--filter=label={each}" for each in labels))
    print(f"{len(found.split())} of {steps} steps run", flush=True)
    return len(found.split()) == steps
