"""The hub's REST API and users' servers, as programs of users use them."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, urlencode

from notehive import naming
from tests.support.site import KEEP, PASSWORD, Answer, Site, fetch, wait_for


def call(site: Site, method: str, path: str, body: Any = None, *, token: str = "") -> Answer:
    """Make one request to the hub's REST API."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    return fetch(site, f"/hub/api{path}", method=method, headers=headers, body=data)


@dataclass
class User:
    """A user with a token of all that the user may do."""

    site: Site
    name: str
    token: str

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Make one request as this user."""
        return call(self.site, method, path, body, token=self.token)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Make one request that must succeed; give its JSON."""
        answer = self.call(method, path, body)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body!r}"
        return json.loads(answer.body) if answer.body else None

    def server(self, name: str = "") -> dict[str, Any] | None:
        """What the hub says of the user's server, if it has one."""
        found = self.ask("GET", f"/users/{quoted(self.name)}?include_stopped_servers")["servers"]
        server: dict[str, Any] | None = found.get(name)
        return server

    def start(self, **options: Any) -> str:
        """Start the server and wait until it is ready; give the name of its Swarm service."""
        answer = self.call("POST", f"/users/{quoted(self.name)}/server", options)
        assert answer.status in (201, 202), answer
        wait_for(f"{self.name}'s server", lambda: (self.server() or {}).get("ready"), 120)
        return self.service

    def told(self) -> Iterator[str]:
        """Give what the start of the server says, as it is said, until the start is over."""
        connection = http.client.HTTPConnection(self.site.address, self.site.port, timeout=60)
        headers = {
            "Host": self.site.url.removeprefix("http://"),
            "Authorization": f"Bearer {self.token}",
        }
        path = f"/hub/api/users/{quoted(self.name)}/server/progress"
        with closing(connection):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            assert answer.status == 200, f"{answer.status} {answer.read()!r}"
            for line in answer:
                if line.startswith(b"data:"):
                    yield json.loads(line.removeprefix(b"data:"))["message"]

    def stop(self) -> None:
        """Stop the server and wait until its service and its token are gone."""
        answer = self.call("DELETE", f"/users/{quoted(self.name)}/server")
        assert answer.status in (202, 204), answer
        wait_for(f"the end of {self.name}'s server", lambda: not self.objects())

    def ended(self) -> str:
        """What the hub tells of the end of the user's last server; nothing if it was stopped."""
        query = (
            "select spawners.state from spawners join users on users.id = spawners.user_id "
            f"where users.name = '{self.name}' and spawners.name = ''"
        )
        found = self.site.exec("postgres", "psql", "-U", "postgres", "-Atc", query, "hub")
        return str(json.loads(found or "{}").get("ended", ""))

    @property
    def service(self) -> str:
        """Name of the Swarm service of the user's server."""
        return naming.server_service(self.site.name, self.name)

    def objects(self) -> list[str]:
        """What the Swarm has of the user's servers: services and secrets."""
        found = []
        for kind in ("service", "secret"):
            rows = self.site.docker(
                *(kind, "ls", "--quiet", "--filter", f"label=notehive.stack={self.site.name}"),
                *("--filter", f"label=notehive.user={self.name}"),
            )
            found += rows.split()
        return found


class Browser:
    """Cookies of a user who is logged in."""

    def __init__(self, someone: User) -> None:
        self.site = someone.site
        self.cookies: SimpleCookie = SimpleCookie()
        self.ask("GET", "/hub/login")
        answer = self.ask("POST", "/hub/login", {"username": someone.name, "password": PASSWORD})
        assert answer.status == 302, answer

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> Answer:
        """Send a request, a form with its token; keep the cookies."""
        cookies = "; ".join(f"{k}={v.coded_value}" for k, v in self.cookies.items())
        headers = {"Cookie": cookies, "Accept": "text/html"}
        body = None
        if fields is not None:
            token = self.cookies["_xsrf"].value
            body = urlencode({**fields, "_xsrf": token}).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = fetch(self.site, path, method=method, headers=headers, body=body)
        for line in answer.cookies:
            self.cookies.load(line)
        return answer


def quoted(name: str) -> str:
    """A user's name in a URL."""
    return quote(name, safe="")


@contextmanager
def user(site: Site, name: str, *options: str) -> Iterator[User]:
    """A user, removed with all servers at the end; ``options`` go to ``user add``."""
    if KEEP:
        site.notehive("user", "remove", name, check=False)  # of a run that was ended
    site.add_user(name, *options)
    try:
        answer = call(
            site,
            "POST",
            f"/users/{quoted(name)}/tokens",
            {"auth": {"username": name, "password": PASSWORD}, "note": "test"},
        )
        assert answer.status == 201, answer
        yield User(site, json.loads(answer.body)["user"], json.loads(answer.body)["token"])
    finally:
        site.notehive("user", "remove", name)
