"""Who asks MLflow for something: the gate's words, which Nginx passes on in headers."""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar

from notehive.gate.asker import Asker, asker
from notehive.settings import EVERYONE

DEFAULT = "default"  # MLflow's own workspace, of all that belongs to no group

Identity = Asker  # whose groups are workspaces here

# Set for each request, before MLflow's own code runs, in whichever thread it does.
CURRENT: ContextVar[Identity] = ContextVar("identity")


def identify(headers: Mapping[str, str], key: str) -> Identity | None:
    """Give who asks, from headers in lower case; None if it is not Nginx who says so."""
    who = asker(headers, key)
    if who is None:
        return None
    return who._replace(edits=_workspaces(who.edits), reads=_workspaces(who.reads))


def _workspaces(groups: Iterable[str]) -> frozenset[str]:
    """Give the workspaces of these groups: each has one of its own name."""
    return frozenset(DEFAULT if name == EVERYONE else name for name in groups)
