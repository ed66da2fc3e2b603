"""Removal of jobs, and of what belongs to no job that is followed: none is left behind."""

import asyncio
import logging
from collections.abc import Mapping, Set

from notehive.hub import tokens
from notehive.jobs.platform import Platform
from notehive.jobs.step import KIND, TOKEN, service_name

# A triggerer that starts anew follows its jobs again after half a minute, or a whole one.
SWEEP_SECONDS = 120

log = logging.getLogger(__name__)


async def discard(platform: Platform, labels: Mapping[str, str]) -> None:
    """Remove a job by its labels, and let its token open nothing; all may be gone already."""
    name = service_name(labels)
    await platform.engine.discard("service", name)
    await platform.identities.revoke(labels["notehive.group"], name)
    # Last: as long as it is there, the sweep knows of a token that may still be good.
    same = (f"{key}={value}" for key, value in labels.items() if key != "notehive.kind")
    await tokens.discard(platform.engine, *same, kind=TOKEN)


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
