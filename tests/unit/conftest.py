"""A real JupyterHub for the tests: its own process, SQLite, no proxy, no Docker."""

import dataclasses
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from notehive.hub.config import HubConfig, HubImage, HubStorage
from notehive.settings import parse

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """
admins: [boss, deputy]
auth: {lock_out: {attempts: 3, minutes: 10}}
groups:
  risk: {members: [mara]}
  fraud: {}
"""
# The proxy and the servers are stand-ins: a server is a file, and one starts as long as there is
# the file `slow`. The clock can be moved by writing to a file.
HUB = """
import asyncio
import time
from pathlib import Path
from jupyterhub.proxy import Proxy
from jupyterhub.spawner import Spawner
from notehive.hub import accounts, choosing, config, pages, released

class NoProxy(Proxy):
    should_start = False
    async def add_route(self, routespec, target, data): pass
    async def delete_route(self, routespec): pass
    async def get_all_routes(self): return {{}}

class NoServer(choosing.ChoosingSpawner, Spawner):
    platform = config.HubConfig.load(Path("{home}/hub.json"))
    @property
    def file(self): return Path(f"{home}/server-{{self.user.name}}-{{self.name}}")
    async def start(self):
        while Path("{home}/slow").exists():
            await asyncio.sleep(0.01)
        self.file.touch()
        return "http://127.0.0.1:{port}"
    async def stop(self, now=False): self.file.unlink(missing_ok=True)
    async def poll(self): return None if self.file.exists() else 0

def clock(offset=Path("{home}/clock")):
    return time.monotonic() + float(offset.read_text())

config.SECRETS = Path("{home}")
released.ROOT = Path("{home}/models")
hub = NoServer.platform
accounts.update_accounts(c, hub)
choosing.update_choosing(c, hub)
pages.update_pages(c, hub, Path("{templates}"))
c.NotehiveAuthenticator.clock = clock
c.NotehiveAuthenticator.password_rounds = 4
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.spawner_class = NoServer
c.JupyterHub.cleanup_servers = False
c.Spawner.http_timeout = 2
c.JupyterHub.init_spawners_timeout = 0
c.JupyterHub.bind_url = "http://127.0.0.1:{proxy_port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.db_url = "sqlite:///{home}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{home}/cookie_secret"
"""


class Browser(requests.Session):
    """A person's browser, as far as forms go."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        self.trust_env = False

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        """Send a request to a path of the hub."""
        return super().request(method, self.base + url, *args, **{"timeout": 10, **options})

    def submit(self, page: str, **fields: str) -> requests.Response:
        """Open a page of the hub and send its first form; do not follow where it leads."""
        xsrf = re.search(r'name="_xsrf" value="([^"]+)"', self.get(page).text)
        token = xsrf[1] if xsrf else self.cookies.get("_xsrf", "")
        return self.post(page, data={"_xsrf": token, **fields}, allow_redirects=False)

    def log_in(self, name: str, password: str, next_url: str = "") -> requests.Response:
        page = "/hub/login" + (f"?next={quote(next_url, safe='')}" if next_url else "")
        return self.submit(page, username=name, password=password)

    def logged_in(self) -> bool:
        return self.get("/hub/home", allow_redirects=False).status_code == 200


def free_port() -> int:
    """Give a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclasses.dataclass
class Hub:
    """The running hub."""

    home: Path
    base: str
    token: str

    def browser(self) -> Browser:
        return Browser(self.base)

    def api(self, method: str, path: str, body: object = None) -> requests.Response:
        """Ask the REST API as the operator's command line does."""
        browser = self.browser()
        browser.headers["Authorization"] = f"token {self.token}"
        return browser.request(method, "/hub/api" + path, json=body)

    def user(
        self, name: str, *, admin: bool = False, groups: Sequence[str] = ()
    ) -> tuple[Browser, str]:
        """Make a user; give a browser in which they are logged in, and their password."""
        body = {"admin": admin, "groups": list(groups)}
        made = self.api("PUT", f"/accounts/{quote(name, safe='')}", body)
        assert made.status_code == 201, made.text
        browser, password = self.browser(), made.json()["password"]
        assert browser.log_in(name, password).status_code == 302
        return browser, password

    def wait(self, seconds: float) -> None:
        """Move the clock of the lock-out."""
        clock = self.home / "clock"
        clock.write_text(str(float(clock.read_text()) + seconds))


def hub_config(settings: str = SETTINGS) -> HubConfig:
    """Give what `up` would tell a hub with these settings."""
    parsed = parse(settings)
    return HubConfig(
        stack=parsed.name,
        url="http://notehive.localhost",
        admins=parsed.admins,
        auth=parsed.auth,
        groups=parsed.groups,
        images={
            key: HubImage(
                title=i.title, description=i.description, reference=key, packages=i.packages
            )
            for key, i in parsed.images.items()
        },
        sizes=parsed.sizes,
        culling=parsed.culling,
        services=parsed.services,
        storage=HubStorage(root="/srv", nfs="", quota=parsed.storage.quota),
        constraints=[],
        own_config=parsed.own_config,
        pip_index_url="",
    )


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@contextmanager
def running_hub(home: Path, settings: str = SETTINGS) -> Iterator[Hub]:
    """A hub whose data are in this folder; a later one finds them, and the servers, again."""
    if not (home / "ports").exists():
        (home / "ports").write_text(f"{free_port()} {free_port()}")
    ports = (home / "ports").read_text().split()
    token = secrets.token_hex(16)
    (home / "clock").write_text("0")
    (home / "hub-admin-token").write_text(token + "\n")
    (home / "hub-state").write_text(secrets.token_hex(32))
    (home / "hub.json").write_text(hub_config(settings).model_dump_json())
    (home / "config.py").write_text(
        textwrap.dedent(HUB).format(
            home=home, templates=ROOT / "hub/templates", port=ports[0], proxy_port=ports[1]
        )
    )
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "--config", str(home / "config.py")],
            cwd=home,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            stdout=log,
            stderr=log,
        )
    running = Hub(home, f"http://127.0.0.1:{ports[0]}", token)
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, (home / "log").read_text()
        assert time.monotonic() < deadline, (home / "log").read_text()
        try:
            running.browser().get("/hub/health")
            break
        except requests.ConnectionError:
            time.sleep(0.05)
    yield running
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    raised = re.findall(r"^Traceback .*\n(?: .*\n)+(\S.*)$", (home / "log").read_text(), re.M)
    # JupyterHub logs a refused start with its traceback, too.
    errors = [error for error in raised if not error.startswith("tornado.web.HTTPError: HTTP 400")]
    assert not errors, (home / "log").read_text()
