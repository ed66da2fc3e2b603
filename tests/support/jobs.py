"""Jobs on a site as Airflow's triggerer follows them, from a process of the tests."""

import asyncio
import contextlib
import os
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

from aiohttp import ClientSession, TCPConnector

from notehive import settings
from notehive.hub.config import HubConfig
from notehive.hub.engine import Engine
from notehive.jobs.identity import Identities
from notehive.jobs.job import Job
from notehive.jobs.platform import VERSION, Platform
from notehive.jobs.runs import Runs
from notehive.jobs.service import Begun, Size
from notehive.jobs.step import Attempt
from notehive.jobs.verdict import Verdict
from notehive.jobs.watch import JobWatch
from notehive.platform import distribute
from tests.support.inside import port_inside
from tests.support.site import Site

# In place of the real one: does what its parameter `do`, a Python program, says.
STEP = """
import json, os
exec(json.loads(os.environ["NOTEHIVE_PARAMETERS"]).get("do", ""))
"""
PACKAGE = "/usr/lib/python3/dist-packages/notehive/models"


@dataclass(frozen=True)
class Ports:
    """Where the parts of a site are that the triggerer asks."""

    guard: int
    hub: int
    keeper: int


@contextlib.contextmanager
def ports(site: Site) -> Iterator[Ports]:
    """Open them to this machine."""
    with ExitStack() as stack:
        yield Ports(
            *(
                stack.enter_context(port_inside(site, service, port))
                for service, port in (("guard-jobs", 2375), ("hub", 8081), ("storage", 8091))
            )
        )


def release(site: Site, directory: Path, group: str = "lab", model: str = "churn") -> Begun:
    """Make and push the image of a release whose steps are programs of the test's own."""
    port = site.settings["network"]["registry_port"]
    reference = f"127.0.0.1:{port}/models/{group}/{model}:test"
    (directory / "step.py").write_text(STEP)
    (directory / "Dockerfile").write_text(
        textwrap.dedent(f"""
        FROM {site.image("notebooks-base")} AS notebooks
        # Small, for it is pushed: what starts a notebook image, and Python.
        FROM {site.image("python")}
        RUN useradd --uid 1000 --gid users jovyan && mkdir -p {PACKAGE} /opt/model \\
            && install -d -o jovyan -g users /run/jupyter
        COPY --from=notebooks /usr/local/bin/walled /usr/local/bin/docker-entrypoint /usr/local/bin/
        RUN touch {PACKAGE}/__init__.py {PACKAGE}/../__init__.py
        COPY step.py {PACKAGE}/
        WORKDIR /opt/model
        USER jovyan
        """)
    )
    site.docker("build", "--quiet", "--tag", reference, str(directory))
    return pushed(site, reference)


def pushed(site: Site, reference: str) -> Begun:
    """Push the image of a release; give it by digest."""
    distribute.push_all(settings.load(site.file), [reference], lambda text: None)
    site.docker("pull", "--quiet", reference)  # only now has it a digest by this name
    found = site.docker("image", "inspect", "--format", '{{join .RepoDigests " "}}', reference)
    name = reference.rpartition(":")[0] + "@"
    [digest] = [each for each in found.split() if each.startswith(name)]
    return Begun(digest, "c0ffee")


def secret(site: Site, service: str, name: str) -> str:
    """Read a secret of a service of the site."""
    return site.exec(service, "cat", f"/run/secrets/{name}")


@asynccontextmanager
async def platform(site: Site, ports: Ports) -> AsyncIterator[Platform]:
    """What the jobs of one process share, as the triggerer makes it."""
    told = site.exec("guard-jobs", "cat", "/etc/notehive/hub.json")
    config = HubConfig.model_validate_json(told)
    with mock.patch.dict(os.environ, {"DOCKER_HOST": f"tcp://127.0.0.1:{ports.guard}"}):
        engine = Engine()
        assert engine.client
    async with ClientSession(connector=TCPConnector(limit=0)) as session:
        hub = f"http://127.0.0.1:{ports.hub}/hub/api"
        keeper = f"http://127.0.0.1:{ports.keeper}"
        yield Platform(
            config=config,
            watch=JobWatch(engine, config.stack),
            session=session,
            identities=Identities(session, secret(site, "hub", "jobs-token"), hub),
            runs=Runs(session, secret(site, "storage", "runs-token"), keeper),
            engine_url=f"http://127.0.0.1:{ports.guard}{VERSION}",
        )


@dataclass
class Told:
    """A job, and what it has told."""

    job: Job
    lines: list[str] = field(default_factory=list)


SMALL = Size("small", 1, 2**30, 500)


def make(
    platform: Platform, begun: Begun, attempt: Attempt, size: Size = SMALL, timeout: float = 0
) -> Told:
    """Give a job that keeps what it tells."""
    lines: list[str] = []
    return Told(Job(platform, attempt, begun, size, lines.append, timeout), lines)


def attempt(run: str, do: str, **changes: Any) -> Attempt:
    """Give an attempt at a step that runs a program."""
    program = {"do": textwrap.dedent(do)}
    first = Attempt("lab", "churn", "train", "fit", run, 1, parameters=program)
    return replace(first, **changes)


async def until(what: str, condition: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    """Poll until a condition gives something true, and give that."""
    async with asyncio.timeout(seconds):
        while not (found := await condition()):
            await asyncio.sleep(0.2)
        return found


async def ended(told: Told) -> Verdict:
    """Run a job to its end and remove it."""
    try:
        return await told.job.run()
    finally:
        await told.job.discard()
