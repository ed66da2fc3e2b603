"""Who asks Airflow for something: the gate's words, which Nginx passes on in headers."""

from collections.abc import Mapping
from contextvars import ContextVar
from hmac import compare_digest
from typing import NamedTuple

from notehive.gate.headers import ADMIN, EDITS, READS, USER, names

KEY = "x-notehive-key"  # says that it is Nginx who tells of the user


class Identity(NamedTuple):
    """A user, and the groups whose DAGs they may change, or only see."""

    user: str
    admin: bool
    edits: frozenset[str]
    reads: frozenset[str]

    def get_id(self) -> str:
        """Give the name by which Airflow knows the user."""
        return self.user

    def get_name(self) -> str:
        """Give the name that Airflow shows, and keeps with what the user does."""
        return self.user


# Set for each request, before Airflow's own code runs, in whichever thread it does.
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
        frozenset(names(headers.get(EDITS.lower(), ""))),
        frozenset(names(headers.get(READS.lower(), ""))),
    )
