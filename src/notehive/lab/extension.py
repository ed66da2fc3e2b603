"""The extension of Jupyter Server: looks after memory and use, and answers Lab."""

import asyncio
import contextlib
import json
import time
from pathlib import Path
from typing import Any

import zmq
from jupyter_server.base.handlers import APIHandler
from jupyter_server.log import log_request
from jupyter_server.utils import url_path_join
from tornado.web import authenticated

from notehive.lab import cgroup, garbage
from notehive.lab.activity import Activity, CpuMeter, by_a_person
from notehive.lab.culling import Culling
from notehive.lab.deaths import Deaths, Process
from notehive.lab.home import Home
from notehive.lab.notices import Notices
from notehive.lab.report import Reporter

LOOK_AT_MEMORY_SECONDS = 1.0
RECONNECT_MS = 10  # until a connection to a kernel that does not listen yet is tried again
# The kernel prefers these processes to the server when it has to kill one: the server must be
# there to say so. Their children inherit it.
KILLED_FIRST = "500"


class NoticesHandler(APIHandler):
    """What to tell the user. The page asks as long as it is open, so asking is no activity."""

    _track_activity = False

    @authenticated
    def get(self) -> None:
        """Give the notices; ``touched``: seconds since somebody last touched the page."""
        keeper: Keeper = self.settings["notehive"]
        if touched := self.get_argument("touched", ""):
            keeper.activity.note(float(touched))
        self.finish(json.dumps(keeper.show()))


class ExtendHandler(APIHandler):
    """Somebody wants the server to stay."""

    @authenticated
    async def post(self) -> None:
        """Let the server run for another idle time from now."""
        keeper: Keeper = self.settings["notehive"]
        keeper.activity.note()
        await keeper.report()
        self.finish(json.dumps(keeper.show()))


class Keeper:
    """Looks at the server again and again, as long as it runs."""

    def __init__(self, serverapp: Any) -> None:
        self._app = serverapp
        self.culling = Culling.from_environment()
        self.activity = Activity(CpuMeter(seconds=6 * self.culling.look_every))
        self.notices = Notices(self.activity, self.culling)
        self.home = Home()
        self._reporter = Reporter(self.culling.idle)
        self._deaths = Deaths(cgroup.oom_kills())

    @property
    def _kernels(self) -> dict[str, Any]:
        manager = self._app.kernel_manager
        return {name: manager.get_kernel(name) for name in manager.list_kernel_ids()}

    @property
    def _terminals(self) -> list[Any]:
        manager = self._app.web_app.settings.get("terminal_manager")
        return list(manager.terminals.values()) if manager else []

    def show(self) -> dict[str, Any]:
        """Give all that Lab is to tell its user, as JSON."""
        return {**self.notices.show(time.time()), **self.home.show()}

    def log_request(self, handler: Any) -> None:
        """Log a request and note whether a person made it: the setting log_function of Tornado."""
        log_request(handler)
        path = handler.request.path.removeprefix(self._app.base_url)
        if handler.get_status() < 400 and by_a_person(handler.request.method, path):
            self.activity.note()

    async def keep(self) -> None:
        """Look at memory every second, at what runs less often; never end."""
        looked = 0.0
        while True:
            now = time.time()
            try:
                await self._look_at_memory(now)
                if now - looked >= self.culling.look_every:
                    looked = now
                    self.activity.look(self._kernels.values(), self._terminals)
                    await self.report()
                if self.home.is_due(now):
                    await self.home.look(now)
            except Exception:  # whatever it was, the next look may succeed
                self._app.log.warning("notehive: cannot look after the server", exc_info=True)
            await asyncio.sleep(LOOK_AT_MEMORY_SECONDS)

    async def report(self) -> None:
        """Tell the hub of the last use, if it is time to."""
        now, latest = time.time(), self.activity.latest
        if self._reporter.is_due(now, latest):
            await self._reporter.report(now, latest)

    async def _look_at_memory(self, now: float) -> None:
        processes = {
            kernel_id: Process(process.pid, process.poll())
            for kernel_id, kernel in self._kernels.items()
            if (process := getattr(kernel.provisioner, "process", None)) is not None
        }
        for process in processes.values():
            with contextlib.suppress(OSError):  # it has just ended
                Path(f"/proc/{process.pid}/oom_score_adj").write_text(KILLED_FIRST)
        for kernel_id in self._deaths.look(now, cgroup.oom_kills(), processes):
            self.notices.add_ended(await self._notebook(kernel_id) if kernel_id else "")

    async def _notebook(self, kernel_id: str) -> str:
        for session in await self._app.session_manager.list_sessions():
            if session["kernel"]["id"] == kernel_id:
                return Path(session["path"]).name
        return kernel_id


def _load_jupyter_server_extension(serverapp: Any) -> None:
    # A new kernel says once that it is ready. Who was not connected hears so after half a second,
    # and by itself ZeroMQ tries again only every 100 ms.
    serverapp.kernel_manager.context.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
    serverapp.web_app.settings["notehive"] = Keeper(serverapp)
    serverapp.web_app.add_handlers(
        ".*$",
        [
            (url_path_join(serverapp.base_url, "notehive/notices"), NoticesHandler),
            (url_path_join(serverapp.base_url, "notehive/extend"), ExtendHandler),
        ],
    )


async def _start_jupyter_server_extension(serverapp: Any) -> None:
    """All extensions are loaded, and the server begins to answer."""
    garbage.resume()
    settings = serverapp.web_app.settings
    keeper: Keeper = settings["notehive"]
    settings["log_function"] = keeper.log_request
    settings["notehive_task"] = asyncio.create_task(keeper.keep())
