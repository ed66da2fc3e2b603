"""Run the guard for the hub: ``python3 -m notehive.guard``."""

import asyncio
import logging

from aiohttp import web

from notehive.guard import hub
from notehive.guard.app import Guard
from notehive.guard.engine import Engine
from notehive.hub.config import HubConfig

PORT = 2375
SOCKET = "/var/run/docker.sock"


async def main() -> None:
    """Serve until the container is stopped."""
    async with Engine(SOCKET) as engine:
        guard = Guard(hub.calls(HubConfig.load()), engine)
        runner = web.ServerRunner(web.Server(guard, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, port=PORT).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(main())
