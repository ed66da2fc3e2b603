"""A Notehive of the tests' own: a name, ports and a subnet that no operator would use."""

import copy
import http.client
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct-horse-battery"
T = TypeVar("T")

# Set, the site stays up, and is found up the next time: for work on a test.
KEEP = bool(os.environ.get("NOTEHIVE_TEST_KEEP"))
# Another number gives a site beside the first: for work on tests while others run.
NUMBER = int(os.environ.get("NOTEHIVE_TEST_SITE", "0"))

SETTINGS: dict[str, Any] = {
    "name": f"notehive-test{NUMBER or ''}",
    "url": f"http://notehive-test{NUMBER or ''}.localhost:{18080 + NUMBER}",
    "network": {"users": f"10.{98 + NUMBER}.0.0/16", "registry_port": 15000 + 2 * NUMBER},
    "sizes": {
        "small": {"title": "Small", "limit": {"cpu": 1, "memory": "1G"}},
        "medium": {"title": "Medium", "limit": {"cpu": 1.5, "memory": "1536M"}},
    },
    "groups": {
        "lab": {"sizes": ["medium"]},
        "guild": {"shared": "everyone"},
        "quiet": {"shared": "none"},
    },
    # With Airflow a start takes half a minute longer, and Jenkins' image cannot be had everywhere;
    # their own tests switch them on.
    "services": {"airflow": False, "jenkins": "off"},
}


def wait_for(what: str, condition: Callable[[], T], seconds: float = 60) -> T:
    """Poll until the condition gives something true, and give that."""
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if found := condition():
            return found
        now = time.monotonic()
        assert now < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(max(0.2, now - began))  # what looks often takes the time of what is looked for


def run(
    *args: str, stdin: str = "", check: bool = True, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command; fail with what it said."""
    done = subprocess.run(
        args,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
    )
    if check:
        assert done.returncode == 0, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def docker(*args: str, stdin: str = "", check: bool = True) -> str:
    """Run the engine's own client; give its output."""
    client = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker"
    return run(client, *args, stdin=stdin, check=check).stdout.strip()


@dataclass
class Site:
    """The workbench under test, on this machine's engine unless another machine is given."""

    directory: Path
    settings: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(SETTINGS))
    address: str = "127.0.0.1"  # of the machine that it is on
    engine: str = ""  # address of that machine's engine, for Docker clients
    enter: tuple[str, ...] = ()  # what goes before a command to run it on that machine
    authority: Path | None = None  # with TLS: who signed the site's certificate
    is_changed_next: bool = False  # whether what comes next begins with settings of its own

    @property
    def name(self) -> str:
        """Name of the stack."""
        return str(self.settings["name"])

    @property
    def url(self) -> str:
        """Where a browser on this machine opens it."""
        return str(self.settings["url"])

    @property
    def port(self) -> int:
        """Port of the site on every address of this machine."""
        return int(self.url.rpartition(":")[2])

    @property
    def host(self) -> str:
        """The name in its address."""
        return urlsplit(self.url).hostname or ""

    @property
    def tls(self) -> ssl.SSLContext:
        """What a client trusts that knows the site's authority."""
        return ssl.create_default_context(cafile=self.authority)

    def connect(self) -> socket.socket:
        """Open a connection to it, with TLS if its address says so."""
        plain = socket.create_connection((self.address, self.port), timeout=60)
        if not self.url.startswith("https:"):
            return plain
        return self.tls.wrap_socket(plain, server_hostname=self.host)

    @property
    def file(self) -> Path:
        """The settings file, written anew."""
        path = self.directory / "settings.yml"
        path.write_text(yaml.safe_dump(self.settings, sort_keys=False))
        return path

    def notehive(
        self, *args: str, stdin: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run the operator's command on this site."""
        return run(
            *(*self.enter, str(ROOT / "notehive"), "--settings", str(self.file), *args),
            stdin=stdin,
            check=check,
            env={"DOCKER_HOST": self.engine} if self.engine else {},
        )

    @property
    def _host(self) -> list[str]:
        return ["--host", self.engine] if self.engine else []

    def docker(self, *args: str, stdin: str = "", check: bool = True) -> str:
        """Run the Docker client on the site's engine; give its output."""
        return docker(*self._host, *args, stdin=stdin, check=check)

    def up(self) -> str:
        """Bring it up; give what the operator saw."""
        return self.notehive("up").stdout

    def add_user(self, name: str, *options: str) -> None:
        """Make an account with the tests' password."""
        self.notehive("user", "add", name, "--password-stdin", *options, stdin=PASSWORD)

    def services(self) -> dict[str, str]:
        """Id of each service of the stack, users' servers included, by name."""
        rows = self.docker(
            *("service", "ls", "--format", "{{.Name}} {{.ID}}"),
            *("--filter", f"label=notehive.stack={self.name}"),
        )
        return dict(row.split() for row in rows.splitlines())

    def of_kind(self, kind: str) -> list[str]:
        """Ids of services or secrets of the stack with a label notehive.kind."""
        found = []
        for what in ("service", "secret"):
            found += self.docker(
                *(what, "ls", "--quiet", "--filter", f"label=notehive.stack={self.name}"),
                *("--filter", f"label=notehive.kind={kind}"),
            ).split()
        return found

    def tasks(self, *, running: bool = True) -> dict[str, str]:
        """Service of each running task, by task id."""
        found: dict[str, str] = {}
        for service in self.services():
            rows = self.docker(
                *("service", "ps", "--no-trunc", "--format", "{{.ID}}", service),
                *(("--filter", "desired-state=running") if running else ()),
            )
            found |= dict.fromkeys(rows.split(), service)
        return found

    def containers(self, service: str, *, ended: bool = True) -> list[str]:
        """Ids of the containers of a service, by its full name; newest first."""
        return self.docker(
            *("ps", "--quiet", *(("--all",) if ended else ())),
            *("--filter", f"label=com.docker.swarm.service.name={service}"),
        ).split()

    def container(self, service: str) -> str:
        """Id of the running container of a service of the stack (or of a full service name)."""
        for name in (f"{self.name}_{service}", service):
            if found := self.containers(name, ended=False):
                return found[0]
        raise AssertionError(f"no container of {service}")

    def exec(self, service: str, *command: str, user: str = "", check: bool = True) -> str:
        """Run a command in a service's container; give its output."""
        as_user = ("--user", user) if user else ()
        return self.docker("exec", *as_user, self.container(service), *command, check=check)

    def image(self, name: str) -> str:
        """Full name of an image of ours, as `up` built it for this site."""
        return self.notehive("image", name).stdout.split()[-1]

    def dump(self) -> str:
        """Give what helps to understand a failure: tasks and the ends of all logs."""
        parts = []
        for service in self.services():
            parts.append(f"== {service}\n{self.docker('service', 'ps', service, check=False)}")
            for container in self.containers(service)[:2]:
                logs = run("docker", *self._host, "logs", "--tail=25", container, check=False)
                parts.append(logs.stdout + logs.stderr)
        return "\n".join(parts)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()  # as set, one header each


def fetch(
    site: Site,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """Make one request to the site, the path exactly as given, redirects not followed."""
    connection = http.client.HTTPConnection(site.address, site.port)
    connection.sock = site.connect()
    host = urlsplit(site.url).netloc
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for key, value in {"Host": host, **(headers or {})}.items():
        connection.putheader(key, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    cookies = tuple(response.msg.get_all("Set-Cookie", []))
    answer = Answer(response.status, dict(response.getheaders()), response.read(), cookies)
    connection.close()
    return answer


@contextmanager
def brought_up(directory: Path, settings: Mapping[str, Any] = SETTINGS) -> Iterator[Site]:
    """A site that is up, and gone with all its data afterwards."""
    site = Site(directory, copy.deepcopy(dict(settings)))
    if not KEEP:
        site.notehive("down", "--purge", "--yes", check=False)  # what an ended run left
    try:
        site.up()
        yield site
    finally:
        if not KEEP:
            site.notehive("down", "--purge", "--yes")


@contextmanager
def changed(site: Site, **settings: Any) -> Iterator[None]:
    """The site with other settings, and as it was afterwards, unless that is changed at once."""
    before = site.settings
    site.settings = copy.deepcopy(before | settings)
    try:
        site.up()
        site.is_changed_next = False
        yield
    finally:
        site.settings = before
        if not site.is_changed_next:
            site.up()
