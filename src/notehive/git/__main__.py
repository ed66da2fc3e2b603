"""Serve the repositories: ``python3 -m notehive.git``."""

import asyncio
import logging
import os

from aiohttp import web

from notehive.git.app import Door
from notehive.git.housekeeping import Housekeeping
from notehive.git.repositories import Repositories
from notehive.hub.config import SECRETS, read_secret
from notehive.outside.config import OutsideConfig
from notehive.outside.mirror import Mirror
from notehive.outside.pushes import Pushes
from notehive.outside.webhook import Webhook

PORT = 8093
TICKETS = SECRETS / "fetch-key"  # where there are any


async def main() -> None:
    """Serve until the container is stopped."""
    keeping, repositories = Housekeeping(), Repositories()
    most = int(os.environ["PUSH_LIMIT"])
    pushes, webhook = None, None
    if outside := OutsideConfig.load():
        mirror = Mirror(outside, repositories, most)
        pushes = Pushes(mirror, read_secret("push-token"), keeping)
        webhook = Webhook(outside, read_secret("outside-webhook"), pushes)
    door = Door(
        repositories,
        read_secret("git-key"),
        os.environ["URL"],
        keeping,
        most,
        read_secret(TICKETS.name) if TICKETS.exists() else "",
        webhook,
    )
    # Bodies that are compressed git unpacks itself, as it reads them.
    runner = web.ServerRunner(web.Server(door, access_log=None, auto_decompress=False))
    await runner.setup()
    await web.TCPSite(runner, port=PORT).start()
    await asyncio.gather(keeping.work(), *([pushes.catch_up()] if pushes else ()))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(main())
