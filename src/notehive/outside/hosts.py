"""How GitLab, GitHub and Gitea (or Forgejo) tell of a push, and show that it is they who do."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from pydantic import BaseModel, Field

from notehive.outside.config import place

Headers = Mapping[str, str]


class Pushed(NamedTuple):
    """What is told of a push."""

    places: frozenset[str]  # of the repository: as its addresses for https and ssh have it
    ref: str
    commit: str
    user: str


class Host(Protocol):
    """A kind of server."""

    def is_push(self, headers: Headers) -> bool:
        """Whether a push is told of, and not something else."""

    def shows(self, headers: Headers) -> str:
        """Give what shows who tells; nothing if it is not there."""

    def expected(self, secret: str, body: bytes) -> str:
        """Give what should be shown for a body by who has the secret."""

    def mark(self, headers: Headers, body: bytes) -> str:
        """Give what a delivery is known by when it comes again."""

    def read(self, body: bytes) -> Pushed:
        """Read what is told; raise ValueError for a body that does not tell of a push."""


class _Repository(BaseModel):
    clone_url: str
    ssh_url: str = ""


class _Pusher(BaseModel):
    name: str = ""  # of GitHub
    login: str = ""  # of Gitea


class _Push(BaseModel):
    ref: str
    after: str = Field(pattern="^[0-9a-f]{40}$")
    repository: _Repository
    pusher: _Pusher


class Signing:
    """GitHub and its kin: a body is signed with the secret (HMAC)."""

    def __init__(self, event: str, signature: str, before: str = "") -> None:
        self._event, self._signature, self._before = event, signature, before

    def is_push(self, headers: Headers) -> bool:
        """See `Host`."""
        return headers.get(self._event) == "push"

    def shows(self, headers: Headers) -> str:
        """See `Host`."""
        return headers.get(self._signature, "")

    def expected(self, secret: str, body: bytes) -> str:
        """See `Host`."""
        return self._before + hmac.new(secret.encode(), body, "sha256").hexdigest()

    def mark(self, headers: Headers, body: bytes) -> str:
        """See `Host`. Headers do not count: they are not signed, so anybody could change them."""
        return hashlib.sha256(body).hexdigest()

    def read(self, body: bytes) -> Pushed:
        """See `Host`."""
        push = _Push.model_validate_json(body)
        addresses = (push.repository.clone_url, push.repository.ssh_url)
        user = push.pusher.name or push.pusher.login
        return Pushed(places(*addresses), push.ref, push.after, user)


class _Project(BaseModel):
    git_http_url: str
    git_ssh_url: str = ""


class _GitlabPush(BaseModel):
    ref: str
    after: str = Field(pattern="^[0-9a-f]{40}$")
    project: _Project
    user_username: str = ""


class Gitlab:
    """GitLab: the secret itself is shown."""

    def is_push(self, headers: Headers) -> bool:
        """See `Host`."""
        return headers.get("X-Gitlab-Event") == "Push Hook"

    def shows(self, headers: Headers) -> str:
        """See `Host`."""
        return headers.get("X-Gitlab-Token", "")

    def expected(self, secret: str, body: bytes) -> str:
        """See `Host`."""
        return secret

    def mark(self, headers: Headers, body: bytes) -> str:
        """See `Host`. Two pushes of the same commits have the same body."""
        told = headers.get("Idempotency-Key") or headers.get("X-Gitlab-Event-UUID", "")
        return hashlib.sha256(_bytes(told) + b"\n" + body).hexdigest()

    def read(self, body: bytes) -> Pushed:
        """See `Host`."""
        push = _GitlabPush.model_validate_json(body)
        addresses = (push.project.git_http_url, push.project.git_ssh_url)
        return Pushed(places(*addresses), push.ref, push.after, push.user_username)


HOSTS: Mapping[str, Host] = {
    "gitea": Signing("X-Gitea-Event", "X-Gitea-Signature"),
    "github": Signing("X-GitHub-Event", "X-Hub-Signature-256", "sha256="),
    "gitlab": Gitlab(),
}


def places(*addresses: str) -> frozenset[str]:
    """Give where on its server a repository is, by its addresses.

    Those for ssh may have the form ``git@example.com:ml/churn.git``.
    """
    found = set()
    for address in addresses:
        scp = "://" not in address and ":" in address
        found.add(place(f"ssh://host/{address.partition(':')[2]}" if scp else address))
    return frozenset(found - {""})


def is_shown(host: Host, headers: Headers, secret: str, body: bytes) -> bool:
    """Whether who tells has the secret; how long the answer takes says nothing of it."""
    shown, expected = host.shows(headers), host.expected(secret, body)
    return bool(secret) and hmac.compare_digest(_bytes(shown), _bytes(expected))


def _bytes(header: str) -> bytes:
    """Give a header as it came, also one that is no text."""
    return header.encode(errors="surrogateescape")
