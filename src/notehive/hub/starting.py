"""From a service that has just been made to a JupyterLab that answers, or the reason why not."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from notehive.hub import ending, probe, room, waiting
from notehive.hub.refusal import refusal
from notehive.hub.said import Said
from notehive.hub.tasks import UNPLACED, Task, current
from notehive.hub.watch import Watch

END_SECONDS = 0.5  # until it is noticed that a server has ended before it answered


@dataclass(frozen=True)
class Start:
    """One start of a server, which is followed as its task goes from state to state.

    Both methods raise HTTPError with a sentence for the user as soon as it cannot succeed.
    """

    watch: Watch
    said: Said
    name: str  # of the service
    service: str  # its id
    image: str  # the key that its user chose
    network: str  # where the server has its address
    need: room.Need

    async def placed(self) -> Task:
        """Give the server's task once its container runs."""
        clock = asyncio.get_running_loop().time
        began = clock()
        self.said.say(10, "Asking the Swarm for a place")
        async with aclosing(self.watch.follow(self.name, self.service)) as looks:
            async for tasks in looks:
                task = current(tasks)
                if task is None:
                    if await self.watch.engine.find("service", self.service) is None:
                        raise refusal(500, "The server's service was removed while it started.")
                elif task.running:
                    return task
                elif not task.starting:
                    nodes = await self.watch.engine.nodes()
                    raise refusal(500, ending.refusal(task, nodes.get(task.node), self.image))
                elif task.state in UNPLACED:
                    await self._say_why(task, clock() - began)
                else:
                    await self._say_where(task)
        raise AssertionError  # the watch does not end

    async def _say_why(self, task: Task, waited: float) -> None:
        engine = self.watch.engine
        try:
            why = await waiting.reason(engine, task, waited, self.need, self.network)
        except waiting.InVainError as error:
            raise refusal(503 if error.for_now else 409, str(error)) from None
        if why:
            self.said.say(20, why)

    async def _say_where(self, task: Task) -> None:
        nodes = await self.watch.engine.nodes()
        where = room.hostname(nodes[task.node]) if task.node in nodes else "a node"
        if task.state in ("assigned", "accepted"):
            self.said.say(30, f"Placed on {where}")
        elif task.state == "preparing":
            self.said.say(40, f"Preparing the image on {where}; a new one is pulled now")
        else:
            self.said.say(60, f"Starting the container on {where}")

    async def answered(self, url: str, host: str, port: int, seconds: float) -> None:
        """Return once JupyterLab answers at its address, in this time."""
        self.said.say(70, "Starting JupyterLab")

        async def answer() -> None:
            await probe.listening(host, port)
            await probe.answering(url)

        answers, ends = asyncio.create_task(answer()), asyncio.create_task(self._ended())
        try:
            await asyncio.wait(
                {answers, ends}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if ends.done():
                why = ends.result() or "It ended by itself."
                raise refusal(500, f"The server did not start. {why}")
            if not answers.done():
                raise refusal(500, f"The server runs, but did not answer within {seconds:.0f} s.")
            answers.result()
        finally:
            answers.cancel()
            ends.cancel()

    async def _ended(self) -> str:
        """Wait until the task ends; say why it did."""
        follow = self.watch.follow(self.name, self.service, END_SECONDS)
        async with aclosing(follow) as looks:
            async for tasks in looks:
                task = current(tasks)
                if task is None or not (task.starting or task.running):
                    return ending.words(task, await self.watch.engine.nodes())
        raise AssertionError  # the watch does not end
