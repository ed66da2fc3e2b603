"""Run the gate: ``python3 -m notehive.gate``."""

import asyncio
import logging

from notehive.gate.app import make_app
from notehive.gate.config import GateConfig

PORT = 8090


async def main() -> None:
    """Serve until the container is stopped."""
    make_app(GateConfig.load().groups).listen(PORT, xheaders=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # Tornado would log the query of each request, which carries OAuth codes.
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    asyncio.run(main())
