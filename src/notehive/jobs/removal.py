"""Removal of jobs, and of what belongs to no job that is followed: none is left behind."""

import asyncio
import logging
from collections.abc import Mapping, Set
from contextlib import aclosing, suppress

from notehive.hub import tokens
from notehive.jobs.platform import Platform
from notehive.jobs.step import KIND, TOKEN, service_name

# A triggerer that starts anew follows its jobs again after half a minute, or a whole one.
SWEEP_SECONDS = 120
# A step that is told to end has ten to close its run in MLflow, before the Swarm ends it.
END_SECONDS = 20

log = logging.getLogger(__name__)


async def discard(platform: Platform, labels: Mapping[str, str]) -> None:
    """Remove a job by its labels, and let its token open nothing; all may be gone already."""
    name = service_name(labels)
    if found := await platform.engine.find("service", name):
        await platform.engine.discard("service", name)
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await ended(platform, name, found["ID"])
    await platform.identities.revoke(labels["notehive.group"], name)
    # Last: as long as it is there, the sweep knows of a token that may still be good.
    same = (f"{key}={value}" for key, value in labels.items() if key != "notehive.kind")
    await tokens.discard(platform.engine, *same, kind=TOKEN)


async def ended(platform: Platform, name: str, service: str) -> None:
    """Wait for the end of the tasks of a job, which may be removed already, by name and id."""
    async with aclosing(platform.watch.follow(name, service)) as looks:
        async for tasks in looks:
            if not any(task.present for task in tasks):
                return


async def sweep(platform: Platform, known: Set[str]) -> set[str]:
    """Remove what neither is followed nor known to the last sweep; give what was not followed.

    There is one process that follows jobs: Airflow's triggerer.
    """
    unknown: dict[str, Mapping[str, str]] = {}
    for what, kind in (("services", KIND), ("secrets", TOKEN)):
        ours = [f"notehive.stack={platform.config.stack}", f"notehive.kind={kind}"]
        for each in await platform.engine.call(what, filters={"label": ours}):
            labels = each["Spec"]["Labels"]
            unknown[service_name(labels)] = labels
    left = unknown.keys() - platform.followed
    for name in left & known:
        log.warning("Removing %s, which belongs to no task", name)
        await discard(platform, unknown[name])
    return left - known


async def sweep_for_ever(platform: Platform) -> None:
    """Sweep, and again after a while."""
    known: set[str] = set()
    while True:
        try:
            known = await sweep(platform, known)
        except Exception:  # the next one may succeed
            log.exception("The sweep of jobs failed")
        await asyncio.sleep(SWEEP_SECONDS)
