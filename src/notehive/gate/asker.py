"""Who asks a service behind Nginx: the gate's words, believed from Nginx alone."""

from collections.abc import Mapping
from hmac import compare_digest
from typing import NamedTuple

from notehive.gate.headers import ADMIN, EDITS, KEY, READS, USER, names


class Asker(NamedTuple):
    """A user, and the groups whose things they may change, or only see."""

    user: str
    admin: bool
    edits: frozenset[str]
    reads: frozenset[str]

    def sees(self, group: str) -> bool:
        """Whether anything of this group may be seen."""
        return self.changes(group) or group in self.reads

    def changes(self, group: str) -> bool:
        """Whether what is of this group may be changed."""
        return self.admin or group in self.edits


def asker(headers: Mapping[str, str], key: str) -> Asker | None:
    """Give who asks, from headers in lower case.

    None if it is not Nginx who says so, by the ``key`` that it shows to this service.
    """

    def said(header: str) -> str:
        return headers.get(header.lower(), "")

    if not compare_digest(said(KEY).encode(), key.encode()) or not said(USER):
        return None
    return Asker(
        said(USER),
        bool(said(ADMIN)),
        frozenset(names(said(EDITS))),
        frozenset(names(said(READS))),
    )
