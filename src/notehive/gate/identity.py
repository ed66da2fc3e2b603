"""Who asks a service behind Nginx for something: the gate's words, which Nginx passes on."""

from collections.abc import Mapping
from hmac import compare_digest
from typing import NamedTuple

from notehive.gate.headers import ADMIN, EDITS, READS, USER, names

KEY = "X-Notehive-Key"  # says that it is Nginx who tells of the user


class Identity(NamedTuple):
    """A user, and the groups whose things they may change, or only see."""

    user: str
    admin: bool
    edits: frozenset[str]
    reads: frozenset[str]

    def sees(self, group: str) -> bool:
        """Whether what belongs to this group may be seen."""
        return self.changes(group) or group in self.reads

    def changes(self, group: str) -> bool:
        """Whether what belongs to this group may be changed."""
        return self.admin or group in self.edits


def identify(headers: Mapping[str, str], key: str) -> Identity | None:
    """Give who asks, from headers by any case; None if it is not Nginx who says so."""
    if not compare_digest(headers.get(KEY, "").encode(), key.encode()):
        return None
    user = headers.get(USER, "")
    if not user:
        return None
    return Identity(
        user,
        bool(headers.get(ADMIN)),
        frozenset(names(headers.get(EDITS, ""))),
        frozenset(names(headers.get(READS, ""))),
    )
