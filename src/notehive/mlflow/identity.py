"""Who asks MLflow for something: the gate's words, which Nginx passes on in headers."""

from collections.abc import Mapping
from contextvars import ContextVar
from hmac import compare_digest
from typing import NamedTuple

from notehive.gate.headers import ADMIN, EDITS, READS, USER, names
from notehive.settings import EVERYONE

KEY = "x-notehive-key"  # says that it is Nginx who tells of the user
DEFAULT = "default"  # MLflow's own workspace, of all that belongs to no group


class Identity(NamedTuple):
    """A user and the workspaces where they may change, or only see, what is there."""

    user: str
    admin: bool
    edits: frozenset[str]
    reads: frozenset[str]

    def sees(self, workspace: str) -> bool:
        """Whether anything in this workspace may be read."""
        return self.admin or workspace in self.edits or workspace in self.reads


# Set for each request, before MLflow's own code runs, in whichever thread it does.
CURRENT: ContextVar[Identity] = ContextVar("identity")


def identify(headers: Mapping[str, str], key: str) -> Identity | None:
    """Give who asks, from headers in lower case; None if it is not Nginx who says so."""
    if not compare_digest(headers.get(KEY, "").encode(), key.encode()):
        return None
    user = headers.get(USER.lower(), "")
    if not user:
        return None
    return Identity(
        user,
        bool(headers.get(ADMIN.lower())),
        _workspaces(headers.get(EDITS.lower(), "")),
        _workspaces(headers.get(READS.lower(), "")),
    )


def _workspaces(groups: str) -> frozenset[str]:
    """Give the workspaces of these groups: each has one of its own name."""
    return frozenset(DEFAULT if name == EVERYONE else name for name in names(groups))
