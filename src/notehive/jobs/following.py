"""Where a job is, from the making of its service to the end of its task."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from notehive.hub import room, waiting
from notehive.hub.engine import Engine
from notehive.hub.tasks import UNPLACED, Task, current
from notehive.jobs.watch import LOOK_SECONDS, JobWatch

ASK_SECONDS = 5.0  # between two questions why it has no place
HOPELESS_SECONDS = 300.0  # that no node may take it: one that starts anew could


class UnplaceableError(Exception):
    """No node of the Swarm may take a job; says why in a sentence."""


@dataclass
class Following:
    """One job, which is followed as its task goes from state to state."""

    watch: JobWatch
    say: Callable[[str], None]  # is told each thing once
    name: str  # of the service
    service: str  # its id
    network: str
    need: room.Need
    what: str = "step"  # what people call it
    _said: str = ""

    @property
    def _engine(self) -> Engine:
        return self.watch.engine

    async def looks(self) -> AsyncGenerator[Task | None]:
        """Yield its task at each look, None if its service is gone. Raises UnplaceableError.

        To be used with `contextlib.aclosing`, and to be left once the task has ended.
        """
        clock = asyncio.get_running_loop().time
        began, asked, hoped = clock(), float("-inf"), clock()
        async with aclosing(self.watch.follow(self.name, self.service, LOOK_SECONDS)) as looks:
            async for tasks in looks:
                task = current(tasks)
                if task is None or not task.wanted:
                    if await self._engine.find("service", self.service) is None:
                        task = None  # what is left of it ends
                    elif task is None:
                        continue  # it has none yet
                if task and task.starting and task.state not in UNPLACED:
                    await self._say_where(task)
                elif task and task.starting and clock() - asked > ASK_SECONDS:
                    asked = clock()
                    why, hopeless = await self._why(task, asked - began)
                    hoped = hoped if hopeless else asked
                    if asked - hoped > HOPELESS_SECONDS:
                        raise UnplaceableError(why)
                    self._say(why)
                yield task

    async def _why(self, task: Task, waited: float) -> tuple[str, bool]:
        """Say why the Swarm has no place for it, and whether none may ever come."""
        try:
            why = await waiting.reason(
                self._engine,
                task,
                waited,
                self.need,
                self.network,
                what=self.what,
                patience=float("inf"),
            )
        except waiting.InVainError as error:
            return str(error), not error.for_now
        return why, False

    async def _say_where(self, task: Task) -> None:
        nodes = await self._engine.nodes()
        where = room.hostname(nodes[task.node]) if task.node in nodes else "a node"
        # The last look at an image that is pulled is this one, so it is worth a line.
        what = "Preparing its image" if task.state == "preparing" else "Starting"
        self._say(f"{what} on {where}")

    def _say(self, words: str) -> None:
        if words and words != self._said:
            self._said = words
            self.say(words)
