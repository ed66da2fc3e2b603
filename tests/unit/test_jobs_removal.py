"""What is removed of a job, and in which order; the engine is a stand-in."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from docker.errors import NotFound

from notehive.jobs import removal
from notehive.jobs.platform import Platform
from notehive.jobs.watch import JobWatch
from tests.support.engine import StandInEngine, task
from tests.unit.conftest import hub_config
from tests.unit.test_jobs_service import LABELS, NAME


@dataclass
class StandInIdentities:
    """Keeps the state that the job's task was in when its token was revoked."""

    states: list[str]
    revoked: list[tuple[str, str, str]] = field(default_factory=list)

    async def revoke(self, group: str, job: str) -> None:
        self.revoked.append((group, job, self.states[0]))


def discarded(**answers: Any) -> tuple[StandInEngine, StandInIdentities]:
    """Remove a job whose task needs a moment to end."""
    states = ["running", "running", "complete"]

    def tasks(**_: Any) -> list[dict[str, Any]]:
        found = task(states[0])
        if states[1:]:
            states.pop(0)
        return [found]

    told_service = {"ID": "service-id"}
    engine = StandInEngine(**{"tasks": tasks, "inspect_service": told_service, **answers})
    identities = StandInIdentities(states)
    none: Any = SimpleNamespace()
    told: Any = identities
    platform = Platform(
        config=hub_config("name: nh"),
        watch=JobWatch(engine, "nh"),
        session=none,
        identities=told,
        runs=none,
        engine_url="",
    )
    asyncio.run(removal.discard(platform, LABELS))
    return engine, identities


def test_a_token_is_good_until_its_step_has_ended() -> None:
    """It closes its run in MLflow when it is told to end."""
    engine, identities = discarded()
    assert identities.revoked == [("risk", NAME, "complete")]
    assert [method for method in engine.methods if method != "tasks"] == [
        "inspect_service",
        "remove_service",
        "secrets",
    ]


def test_a_job_that_is_gone_leaves_no_token() -> None:
    engine, identities = discarded(inspect_service=NotFound("no such service"))
    assert [job for _, job, _ in identities.revoked] == [NAME]
    assert engine.methods == ["inspect_service", "secrets"]
