"""One watch for all: what it tells, how often it asks, and that it ends."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from notehive.hub import watch as module
from notehive.hub.tasks import Task
from notehive.hub.watch import Watch
from tests.support.engine import StandInEngine, task


def run(work: Callable[[Watch, StandInEngine], Coroutine[Any, Any, None]], **answers: Any) -> None:
    engine = StandInEngine(**answers)
    asyncio.run(asyncio.wait_for(work(Watch(engine, "nh"), engine), 20))


async def first(watch: Watch, name: str, service: str = "") -> list[Task]:
    async with aclosing(watch.follow(name, service)) as looks:
        async for tasks in looks:
            return tasks
    raise AssertionError


def test_changes_are_told_and_nothing_else() -> None:
    states = iter(["new", "new", "starting", "starting", "running"])

    async def work(watch: Watch, engine: StandInEngine) -> None:
        seen = []
        async with aclosing(watch.follow("nh-ana", "service-id")) as looks:
            async for tasks in looks:
                seen.append(tasks[0].state)
                if seen[-1] == "running":
                    break
        assert seen == ["new", "starting", "running"]
        assert engine.asked[0][2] == {"filters": {"name": ["nh-ana."]}}

    run(work, tasks=lambda **_: [task(next(states, "running"))])


def test_many_followers_share_one_question() -> None:
    services = [f"s{number}" for number in range(20)]

    async def work(watch: Watch, engine: StandInEngine) -> None:
        found = await asyncio.gather(*(first(watch, f"nh-{s}", s) for s in services))
        assert [tasks[0].service for tasks in found] == services
        assert len(engine.asked) <= 2

    run(work, tasks=[task(ServiceID=service) for service in services])


def test_by_a_name_alone_the_tasks_of_others_are_not_seen() -> None:
    """As of those who wait for the end of an earlier server, while others start."""

    def tasks(filters: dict[str, list[str]]) -> list[dict[str, Any]]:
        names = [name.removesuffix(".") for name in filters["name"]]
        return [task(ServiceID=f"id of {name}") for name in names if name != "nh-gone"]

    async def work(watch: Watch, engine: StandInEngine) -> None:
        found = await asyncio.gather(
            first(watch, "nh-gone"), first(watch, "nh-ana"), first(watch, "nh-ben", "id of nh-ben")
        )
        services = [[each.service for each in tasks] for tasks in found]
        assert services == [[], ["id of nh-ana"], ["id of nh-ben"]]

    run(work, tasks=tasks)


def test_nobody_follows_so_nothing_is_asked() -> None:
    async def work(watch: Watch, engine: StandInEngine) -> None:
        await first(watch, "nh-ana")
        await asyncio.sleep(3 * module.LOOK_SECONDS)
        asked = len(engine.asked)
        await asyncio.sleep(3 * module.LOOK_SECONDS)
        assert len(engine.asked) == asked
        assert await first(watch, "nh-ana"), "and it begins again"

    run(work, tasks=[task()])


def test_who_waits_long_is_looked_for_less_often() -> None:
    waits = module._Follower("service-id", began=100.0, least=0.05)
    assert waits.patience(100.2) == 0.05
    assert waits.patience(105.0) == pytest.approx(0.5)
    assert waits.patience(900.0) == module.HEARTBEAT_SECONDS


def test_a_newcomer_does_not_wait_for_the_patient() -> None:
    async def work(watch: Watch, engine: StandInEngine) -> None:
        async with aclosing(watch.follow("nh-ben", "service-id", least=3600)) as patient:
            await anext(patient)
            assert await first(watch, "nh-ana", "service-id")
        assert len(engine.asked) == 2

    run(work, tasks=[task()])


def test_an_engine_that_is_away_for_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.01)
    failures = iter([OSError("gone"), OSError("gone")])

    def tasks(**_: Any) -> list[dict[str, Any]]:
        if failure := next(failures, None):
            raise failure
        return [task()]

    async def work(watch: Watch, engine: StandInEngine) -> None:
        assert (await first(watch, "nh-ana"))[0].running

    run(work, tasks=tasks)


def test_an_engine_that_stays_away_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)

    async def work(watch: Watch, engine: StandInEngine) -> None:
        with pytest.raises(OSError, match="gone"):
            await first(watch, "nh-ana")

    run(work, tasks=OSError("gone"))


def test_a_snapshot_serves_everyone_and_none_is_always_of_now() -> None:
    services = [task(ServiceID=f"s{number}") for number in range(3)]

    async def work(watch: Watch, engine: StandInEngine) -> None:
        for _ in range(3):
            found = await asyncio.gather(*(watch.tasks(f"s{number}") for number in range(3)))
            assert all(len(tasks) == 1 for tasks in found)
        assert len(engine.asked) == 1
        assert engine.asked[0][2] == {
            "filters": {"label": ["notehive.stack=nh", "notehive.kind=server"]}
        }
        services.append(task(ServiceID="new"))
        assert len(await watch.tasks("new")) == 1
        assert await watch.tasks("never") == []

    run(work, tasks=lambda **_: list(services))


def test_whatever_goes_wrong_nobody_waits_for_ever() -> None:
    async def work(watch: Watch, engine: StandInEngine) -> None:
        with pytest.raises(AttributeError):
            await first(watch, "nh-ana")

    run(work, tasks=["no task at all"])
