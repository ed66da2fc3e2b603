"""Run the keeper: ``python3 -m notehive.storage``."""

import asyncio
import logging
from pathlib import Path

from notehive.storage.api import make_app
from notehive.storage.directories import Directories
from notehive.storage.runs import Runs
from notehive.storage.usage import Usage

PORT = 8091
ROOT = Path("/srv/storage")
TOKEN = Path("/run/secrets/storage-token")
RUNS_TOKEN = Path("/run/secrets/runs-token")


async def main() -> None:
    """Serve until the container is stopped."""
    directories = Directories(ROOT)
    usage = Usage(directories)
    tokens = (path.read_text(encoding="utf-8").strip() for path in (TOKEN, RUNS_TOKEN))
    token, runs_token = tokens
    make_app(directories, usage, token, Runs(ROOT), runs_token).listen(PORT)
    await usage.measure_all_the_time()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("tornado.access").setLevel(logging.WARNING)  # what failed; not each check
    asyncio.run(main())
