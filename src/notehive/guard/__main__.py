"""Run the guard for one of its clients: ``python3 -m notehive.guard hub``."""

import asyncio
import logging
import sys

from aiohttp import web

from notehive.guard import hub, jobs, metrics
from notehive.guard.app import Guard
from notehive.guard.engine import Engine
from notehive.hub.config import HubConfig

PORT = 2375
SOCKET = "/var/run/docker.sock"
CLIENTS = {"hub": hub.calls, "jobs": jobs.calls, "metrics": metrics.calls}


async def main(client: str) -> None:
    """Serve until the container is stopped."""
    async with Engine(SOCKET) as engine:
        guard = Guard(CLIENTS[client](HubConfig.load()), engine)
        # Who no longer listens to a log is not waited for.
        server = web.Server(guard, access_log=None, handler_cancellation=True)
        runner = web.ServerRunner(server)
        await runner.setup()
        await web.TCPSite(runner, port=PORT).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(main(*sys.argv[1:]))
