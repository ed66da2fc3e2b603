"""Run the keeper: ``python3 -m notehive.storage``."""

import asyncio
import logging
from pathlib import Path

from notehive.storage.api import Tokens, make_app
from notehive.storage.directories import Directories
from notehive.storage.runs import Runs
from notehive.storage.usage import Usage

PORT = 8091
ROOT = Path("/srv/storage")
SECRETS = Path("/run/secrets")


async def main() -> None:
    """Serve until the container is stopped."""
    directories = Directories(ROOT)
    usage = Usage(directories)
    tokens = Tokens(
        directories=read("storage-token"),
        runs=read("runs-token"),
        usage=read("usage-token") if (SECRETS / "usage-token").exists() else "",
    )
    make_app(directories, usage, Runs(ROOT), tokens).listen(PORT)
    await usage.measure_all_the_time()


def read(token: str) -> str:
    """Give a token by the name of its secret."""
    return (SECRETS / token).read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("tornado.access").setLevel(logging.WARNING)  # what failed; not each check
    asyncio.run(main())
