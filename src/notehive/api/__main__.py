"""Serve the API: ``python3 -m notehive.api``."""

import asyncio
import logging
import os

from aiohttp import web

from notehive.api.app import make_app
from notehive.api.builder import Builder
from notehive.api.database import Database
from notehive.api.publish import Publisher
from notehive.git.repositories import Repositories
from notehive.hub.config import SECRETS, HubConfig, read_secret
from notehive.hub.sharing import kept

PORT = 8092
BUILDER = SECRETS / "builder-token"  # where images are built


async def main() -> None:
    """Serve until the container is stopped."""
    config = HubConfig.load()
    app = make_app(
        Repositories(),
        key=read_secret("api-key"),
        push_token=read_secret("push-token"),
        builder=Builder(read_secret("builder-token")) if BUILDER.exists() else None,
        database=Database(),
        publish=Publisher(config).publish,
        url=os.environ["URL"],
        groups=kept(config.groups, set(config.groups)),
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=PORT).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(main())
