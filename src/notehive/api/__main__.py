"""Serve the API: ``python3 -m notehive.api``."""

import asyncio
import logging
import os

from aiohttp import web

from notehive.api.app import make_app
from notehive.api.builder import Builder
from notehive.api.database import Database
from notehive.api.jenkins import Access
from notehive.api.publish import Publisher
from notehive.api.retention import Limits
from notehive.git.repositories import Repositories
from notehive.hub.config import SECRETS, HubConfig, read_secret
from notehive.hub.sharing import kept
from notehive.jenkins.client import Jenkins
from notehive.outside.config import OutsideConfig
from notehive.outside.statuses import Statuses

PORT = 8092
BUILDER = SECRETS / "builder-token"  # where images are built
JENKINS = SECRETS / "release-token"  # where Jenkins is
STATUS = SECRETS / "outside-status"  # where a server outside hears of releases


async def main() -> None:
    """Serve until the container is stopped."""
    config = HubConfig.load()
    publisher = Publisher(config)
    publisher.settle()
    outside, url = OutsideConfig.load(), os.environ["URL"]
    app = make_app(
        Repositories(),
        key=read_secret("api-key"),
        push_token=read_secret("push-token"),
        builder=Builder(read_secret("builder-token")) if BUILDER.exists() else None,
        database=Database(),
        publish=publisher.publish,
        jenkins=with_jenkins() if JENKINS.exists() else None,
        url=url,
        groups=kept(config.groups, set(config.groups)),
        limits=Limits(int(os.environ["KEEP_RELEASES"]), int(os.environ["KEEP_DAYS"])),
        server=outside.server if outside else "",
        statuses=Statuses(outside, read_secret(STATUS.name), url)
        if outside and STATUS.exists()
        else None,
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=PORT).start()
    await asyncio.Event().wait()


def with_jenkins() -> Access:
    """Give how to ask Jenkins."""
    return Access(
        Jenkins(), read_secret(JENKINS.name), read_secret("fetch-key"), os.environ["INSIDE"]
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(main())
