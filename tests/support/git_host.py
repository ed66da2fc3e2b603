"""A server outside: a real git over HTTPS, and a stand-in for the REST API of such a server.

The stand-in only writes down the commit statuses that it is told, as none of GitLab, GitHub and
Gitea can be had here.
"""

import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import web

from notehive.git import cgi
from tests.support.authority import Authority
from tests.support.listening import listening
from tests.support.repository import Repository

BACKEND = "/usr/lib/git-core/git-http-backend"
USER, TOKEN, STATUS_TOKEN = "deploy", "glpat-of-the-test", "status-of-the-test"
SECRET = "webhook-secret-of-the-test"


@dataclass
class GitHost:
    """The server, with the repository ``ml/churn``."""

    directory: Path
    provider: str
    address: str = ""
    asked: list[str] = field(default_factory=list)  # paths, with the right token
    statuses: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # path and body
    redirect: str = ""  # where git is sent on to, instead of an answer

    def __post_init__(self) -> None:
        self.authority = Authority(self.directory / "authority")
        self.repository = Repository(self.directory / "served", "ml/churn")
        self.repository.git("checkout", "--quiet", "-b", "main")

    @property
    def url(self) -> str:
        """Where the repository is cloned from."""
        return f"{self.address}/ml/churn.git"

    @contextmanager
    def running(self, host: str = "127.0.0.1") -> Iterator["GitHost"]:
        """The server, listening at an address of this machine."""
        pair = self.authority.issue(host, name="host")
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(pair.certificate, pair.key)

        async def make() -> web.ServerRunner:
            return web.ServerRunner(web.Server(self.answer, auto_decompress=False))

        with listening(make, host, tls) as self.address:
            yield self

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.path.startswith("/api/"):
            return await self.take_status(request)
        if self.redirect:
            raise web.HTTPFound(self.redirect)
        wanted = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {wanted}":
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Basic realm="git"'})
        self.asked.append(request.path)
        told = cgi.variables(request, request.path, request.query_string, USER, below="")
        root = str(self.repository.bare.parents[1])
        served = {"GIT_PROJECT_ROOT": root, "GIT_HTTP_EXPORT_ALL": "1", **SAFE}
        return await cgi.run(request, [BACKEND], {**told, **served}, {})

    async def take_status(self, request: web.BaseRequest) -> web.Response:
        """Write a status down, if it comes with the token as this kind of server wants it."""
        shown = {
            "gitea": ("Authorization", f"token {STATUS_TOKEN}"),
            "github": ("Authorization", f"Bearer {STATUS_TOKEN}"),
            "gitlab": ("PRIVATE-TOKEN", STATUS_TOKEN),
        }
        header, value = shown[self.provider]
        if request.method != "POST" or request.headers.get(header) != value:
            raise web.HTTPUnauthorized
        self.statuses.append((request.raw_path, json.loads(await request.read())))
        return web.json_response({}, status=201)

    def commit(self, files: dict[str, str]) -> str:
        """Push a commit with these files; give it."""
        self.repository.write(files)
        return self.repository.commit()

    def told(self, commit: str, *, ref: str = "refs/heads/main", place: str = "ml/churn") -> bytes:
        """Give the body that tells of a push, with what such a server says in it and more."""
        clone, ssh = f"{self.address}/{place}.git", f"git@example.com:{place}.git"
        body: dict[str, Any] = {"ref": ref, "before": "0" * 40, "after": commit, "commits": []}
        if self.provider == "gitlab":
            project = {"git_http_url": clone, "git_ssh_url": ssh, "path_with_namespace": place}
            body |= {"object_kind": "push", "user_username": "ana", "project": project}
        else:
            body["repository"] = {"clone_url": clone, "ssh_url": ssh, "full_name": place}
            body["repository"]["pushed_at"] = uuid4().hex
            who = {"name": "ana"} if self.provider == "github" else {"login": "ana"}
            body["pusher"] = {**who, "email": "ana@example.com"}
        return json.dumps(body).encode()

    def signed(self, body: bytes, secret: str = SECRET, event: str = "push") -> dict[str, str]:
        """Give the headers that go with a body."""
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        told = {"Content-Type": "application/json"}
        if self.provider == "gitlab":
            name = {"push": "Push Hook"}.get(event, event)
            return {
                **told,
                "X-Gitlab-Event": name,
                "X-Gitlab-Token": secret,
                "Idempotency-Key": uuid4().hex,
            }
        if self.provider == "gitea":
            return {**told, "X-Gitea-Event": event, "X-Gitea-Signature": digest}
        return {**told, "X-GitHub-Event": event, "X-Hub-Signature-256": f"sha256={digest}"}


# Its repositories may belong to somebody else than who runs the tests.
SAFE = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
