"""One watch over the tasks of all servers.

SwarmKit tells nobody of its tasks: the engine's event stream has services and nodes, and
containers of its own node only. So tasks are looked at: together for everyone who waits, and
fast only while somebody does. A look costs the hub, the guard and the engine some milliseconds of
the processors that the servers start on, so those who have waited for long wait a little longer.
"""

import asyncio
import functools
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from docker.errors import APIError

from notehive.hub.engine import Engine
from notehive.hub.tasks import Task

LOOK_SECONDS = 0.05  # between two looks at tasks that somebody has just begun to wait for
SHARE = 0.1  # of the time that somebody has waited may go by until they are told
REST = 3  # times as long as a look takes nothing is asked: a busy machine has other work
HEARTBEAT_SECONDS = 1.0  # a follower hears this often even of nothing new
SNAPSHOT_SECONDS = 2.0  # how old what `tasks` tells may be
PATIENCE_SECONDS = 20.0  # with an engine that does not answer

Question = tuple[list[str], dict[str, list[str]]]  # names of services, and the filters of tasks


class _Follower:
    """Somebody who waits for news of one service, by its id or by the name alone."""

    def __init__(self, service: str, began: float, least: float) -> None:
        self.service, self.began, self.least = service, began, least
        self.news = asyncio.Event()
        self.tasks: list[Task] = []
        self.error: Exception | None = None

    def patience(self, now: float) -> float:
        """Give how many seconds they may have to wait for the next look."""
        return max(self.least, min(SHARE * (now - self.began), HEARTBEAT_SECONDS))


class Watch:
    """What the tasks of servers do."""

    kind = "server"  # label of the services that it watches

    def __init__(self, engine: Engine, stack: str) -> None:
        self.engine = engine
        self._labels = [f"notehive.stack={stack}", f"notehive.kind={self.kind}"]
        self._followers: dict[str, set[_Follower]] = defaultdict(set)  # by name of service
        self._looking: asyncio.Task[None] | None = None
        self._newcomer = asyncio.Event()
        self._snapshot: dict[str, list[Task]] = {}
        self._taken = float("-inf")
        self._taking: asyncio.Task[None] | None = None

    async def tasks(self, service: str) -> list[Task]:
        """Give the tasks of a service, by its id; none if it is not there.

        What is told may be `SNAPSHOT_SECONDS` old, but "none" is always of now.
        """
        clock = asyncio.get_running_loop().time
        asked = clock()
        if asked - self._taken < SNAPSHOT_SECONDS and service in self._snapshot:
            return self._snapshot[service]
        while self._taken < asked:  # a look that began after we asked will do, whoever began it
            if self._taking is None:
                self._taking = asyncio.create_task(self._take_snapshot())
            await asyncio.shield(self._taking)
        return self._snapshot.get(service, [])

    async def _take_snapshot(self) -> None:
        began = asyncio.get_running_loop().time()
        try:
            found = await self.engine.call("tasks", filters={"label": self._labels})
            self._snapshot, self._taken = _by_service(found), began
        finally:
            self._taking = None

    async def follow(
        self, name: str, service: str = "", least: float = LOOK_SECONDS
    ) -> AsyncGenerator[list[Task]]:
        """Yield the tasks of a service at once, whenever they change, and each second.

        By its name and its id: once a service is removed, its tasks are found by the name
        until they have ended. Without an id, those of earlier services of this name count
        too. ``least``: how many seconds the news may always be old. To be used with
        `contextlib.aclosing`.
        """
        clock = asyncio.get_running_loop().time
        follower = _Follower(service, clock(), least)
        self._followers[name].add(follower)
        self._newcomer.set()
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        seen: list[Task] | None = None
        told = clock()
        try:
            while True:
                await follower.news.wait()
                follower.news.clear()
                if follower.error:
                    raise follower.error
                tasks = [t for t in follower.tasks if service in ("", t.service)]
                if tasks != seen or clock() - told >= HEARTBEAT_SECONDS:
                    seen, told = tasks, clock()
                    yield tasks
        finally:
            self._followers[name].discard(follower)
            if not self._followers[name]:
                del self._followers[name]

    async def _look(self) -> None:
        """Tell the followers what there is, until nobody follows."""
        clock = asyncio.get_running_loop().time
        answered = clock()
        try:
            while self._followers:
                self._newcomer.clear()
                began = clock()
                try:
                    for names, filters in self.questions():
                        found = await self.engine.call("tasks", filters=filters)
                        self._tell(names, [Task.read(task) for task in found])
                except (APIError, OSError):
                    if clock() - answered > PATIENCE_SECONDS:
                        raise
                    await asyncio.sleep(HEARTBEAT_SECONDS)
                    continue
                answered = clock()
                await self._rest(answered, REST * (answered - began))
        except Exception as error:  # whatever it is, nobody may wait for ever
            self._tell(list(self._followers), [], error)
        finally:
            self._looking = None

    def questions(self) -> list[Question]:
        """Give the names that are followed, as they are asked about together.

        The engine does not tell the name of a task. So where somebody has no id to know theirs by,
        the name is asked about alone.
        """
        by_id: list[str] = []
        by_name: list[str] = []
        for name, followers in self._followers.items():
            (by_id if all(each.service for each in followers) else by_name).append(name)
        together = [names for names in (by_id, *([name] for name in by_name)) if names]
        # The filter takes beginnings of names, and a task is called NAME.SLOT.ID.
        return [(names, {"name": [f"{name}." for name in names]}) for names in together]

    async def _rest(self, now: float, least: float) -> None:
        """Wait for the next look, so long at least, or until somebody new waits for it."""
        await asyncio.sleep(least)
        everybody = [each for some in self._followers.values() for each in some]
        patience = min((each.patience(now) for each in everybody), default=0.0)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._newcomer.wait(), max(0.0, patience - least))

    def _tell(self, names: list[str], tasks: list[Task], error: Exception | None = None) -> None:
        for name in names:
            for follower in self._followers.get(name, ()):
                follower.tasks, follower.error = tasks, error
                follower.news.set()


def _by_service(found: list[dict[str, Any]]) -> dict[str, list[Task]]:
    tasks: dict[str, list[Task]] = defaultdict(list)
    for data in found:
        task = Task.read(data)
        tasks[task.service].append(task)
    return dict(tasks)


@functools.cache
def shared(stack: str) -> Watch:
    """Give the watch of this process, and with it its engine."""
    return Watch(Engine(), stack)
