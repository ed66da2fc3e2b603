"""One watch over the tasks of all servers.

SwarmKit tells nobody of its tasks: the engine's event stream has services and nodes, and
containers of its own node only. So tasks are looked at: together for everyone who waits, and
fast only while somebody does.
"""

import asyncio
import functools
from collections import defaultdict
from collections.abc import AsyncGenerator
from typing import Any

from docker.errors import APIError

from notehive.hub.engine import Engine
from notehive.hub.tasks import Task

LOOK_SECONDS = 0.05  # between two looks at tasks that somebody waits for
HEARTBEAT_SECONDS = 1.0  # a follower hears this often even of nothing new
SNAPSHOT_SECONDS = 2.0  # how old what `tasks` tells may be
PATIENCE_SECONDS = 20.0  # with an engine that does not answer


class _Follower:
    """Somebody who waits for news of one service."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.tasks: list[Task] = []
        self.error: Exception | None = None


class Watch:
    """What the tasks of servers do."""

    kind = "server"  # label of the services that it watches
    look_seconds = LOOK_SECONDS

    def __init__(self, engine: Engine, stack: str) -> None:
        self.engine = engine
        self._labels = [f"notehive.stack={stack}", f"notehive.kind={self.kind}"]
        self._followers: dict[str, set[_Follower]] = defaultdict(set)  # by name of service
        self._looking: asyncio.Task[None] | None = None
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

    async def follow(self, name: str, service: str = "") -> AsyncGenerator[list[Task]]:
        """Yield the tasks of a service at once, whenever they change, and each second.

        By its name and its id: once a service is removed, its tasks are found by the name
        until they have ended. Without an id, those of earlier services of this name count
        too. To be used with `contextlib.aclosing`.
        """
        follower = _Follower()
        self._followers[name].add(follower)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        clock = asyncio.get_running_loop().time
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

    def chosen(self, names: list[str]) -> dict[str, list[str]]:
        """Give the filters of the tasks of these services."""
        # They take beginnings of names, and a task is called NAME.SLOT.ID.
        return {"name": [f"{name}." for name in names]}

    async def _look(self) -> None:
        """Tell the followers what there is, until nobody follows."""
        clock = asyncio.get_running_loop().time
        answered = clock()
        try:
            while names := list(self._followers):
                try:
                    found = await self.engine.call("tasks", filters=self.chosen(names))
                except (APIError, OSError):
                    if clock() - answered > PATIENCE_SECONDS:
                        raise
                    await asyncio.sleep(HEARTBEAT_SECONDS)
                    continue
                answered = clock()
                self._tell(names, [Task.read(task) for task in found])
                await asyncio.sleep(self.look_seconds)
        except Exception as error:  # whatever it is, nobody may wait for ever
            self._tell(list(self._followers), [], error)
        finally:
            self._looking = None

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
