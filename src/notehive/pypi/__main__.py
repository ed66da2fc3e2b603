"""Run the index: ``python3 -m notehive.pypi``."""

import asyncio
import logging
import os
from pathlib import Path

from aiohttp import ClientSession, web

from notehive.gate.config import GateConfig
from notehive.hub.config import SECRETS, read_secret
from notehive.pypi import disk
from notehive.pypi.app import make_app
from notehive.pypi.cache import Cache
from notehive.pypi.index import Index
from notehive.pypi.shelf import Shelf
from notehive.pypi.upstream import Upstream
from notehive.settings import EVERYONE

PORT = 8092
DIRECTORY = Path("/var/lib/notehive-pypi")
LOGIN = "index-login"


async def main() -> None:
    """Serve until the container is stopped. INDEX is where upstream is, LIMIT in bytes."""
    login = read_secret(LOGIN) if (SECRETS / LOGIN).exists() else ""
    files, pages = (
        disk.directory(DIRECTORY / "cache/files"),
        disk.directory(DIRECTORY / "cache/pages"),
    )
    async with ClientSession() as session:
        upstream = Upstream(session, os.environ["INDEX"], login, pages)
        index = Index(
            groups={EVERYONE, *GateConfig.load().groups},
            shelf=Shelf(disk.directory(DIRECTORY / "groups")),
            upstream=upstream,
            cache=Cache(files, int(os.environ["LIMIT"]), upstream),
            incoming=disk.directory(DIRECTORY / "incoming"),
        )
        runner = web.AppRunner(make_app(index, read_secret("pypi-key")), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, port=PORT).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(main())
