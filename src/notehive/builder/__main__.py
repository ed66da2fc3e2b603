"""Run the builder: ``python3 -m notehive.builder``."""

import asyncio
import logging
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

from aiohttp import ClientSession, UnixConnector, web

from notehive.builder import PORT, TOKEN, door, labels
from notehive.builder.app import App, serve
from notehive.builder.build import Builds
from notehive.builder.check import Checks
from notehive.builder.config import BuilderConfig
from notehive.builder.dependencies import Dependencies
from notehive.builder.engine import BuildEngine
from notehive.builder.prune import Prunes
from notehive.builder.push import Pushes
from notehive.builder.registry import PASSWORD, Registry
from notehive.builder.smoke import Smokes, SmokeWatch
from notehive.builder.source import Source
from notehive.builder.turns import Turns
from notehive.hub.engine import Engine

SOCKET = "/var/run/docker.sock"
WORK = Path("/var/lib/notehive-builder/work")
DOOR = Path("/run/notehive-door/socket")  # of the volume that containers that gather have
AT_ONCE, MOST = 2, 50  # builds that run, and that are taken; of smokes as many


async def main() -> None:
    """Serve until the container is stopped."""
    os.umask(0o022)  # a project's files are for whoever the image's user is
    # What has been begun is ended in order, for containers would outlive this one.
    this = asyncio.current_task()
    assert this is not None  # noqa: S101 - it runs
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    config = BuilderConfig.load()
    shutil.rmtree(WORK, ignore_errors=True)  # what an earlier builder left
    WORK.mkdir(exist_ok=True)
    async with (
        BuildEngine(SOCKET) as engine,
        door.new_session() as session,
        ClientSession(connector=UnixConnector(SOCKET, limit=0)) as logs,
    ):
        for kind in (labels.GATHERING, labels.CHECKING):
            await engine.remove_containers({labels.BUILDER: config.stack, labels.KIND: kind})
        way_out = door.Door(door.index_url(), door.debian_mirrors(), session)
        await _open(way_out)
        builds = Builds(
            config,
            engine,
            Dependencies(config, engine, way_out.index),
            Source(WORK / "empty.git"),
            Turns(AT_ONCE, MOST),
            WORK,
        )
        watch = SmokeWatch(Engine(), config.stack)
        smokes = Smokes(builds, watch, logs, Turns(AT_ONCE, MOST))
        await smokes.remove_left()
        registry = Registry(PASSWORD.read_text(encoding="utf-8").strip())
        token = Path(TOKEN).read_text(encoding="utf-8").strip()
        pushes, prunes = Pushes(config, engine, registry), Prunes(config, engine, registry)
        app = App(builds, Checks(builds), smokes, pushes, prunes, token)
        await serve(app, PORT)


async def _open(way_out: door.Door) -> None:
    """Serve the door, to every user of a container that has it."""
    DOOR.unlink(missing_ok=True)
    runner = web.ServerRunner(web.Server(way_out, access_log=None))
    await runner.setup()
    await web.UnixSite(runner, DOOR).start()
    DOOR.chmod(0o666)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    with suppress(asyncio.CancelledError):
        asyncio.run(main())
