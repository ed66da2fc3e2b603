"""Serve the repositories: ``python3 -m notehive.git``."""

import asyncio
import logging
import os

from aiohttp import web

from notehive.git.app import Door
from notehive.git.housekeeping import Housekeeping
from notehive.git.repositories import Repositories
from notehive.hub.config import SECRETS, read_secret

PORT = 8093
TICKETS = SECRETS / "fetch-key"  # where there are any


async def main() -> None:
    """Serve until the container is stopped."""
    keeping = Housekeeping()
    door = Door(
        Repositories(),
        read_secret("git-key"),
        os.environ["URL"],
        keeping,
        int(os.environ["PUSH_LIMIT"]),
        read_secret(TICKETS.name) if TICKETS.exists() else "",
    )
    # Bodies that are compressed git unpacks itself, as it reads them.
    runner = web.ServerRunner(web.Server(door, access_log=None, auto_decompress=False))
    await runner.setup()
    await web.TCPSite(runner, port=PORT).start()
    await keeping.work()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(main())
