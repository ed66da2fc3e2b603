"""Addresses of repositories for those who have no login: each is of one, and good for a while."""

import hmac
from time import time

BELOW = "/git-fetch"  # where Nginx leads on, with the ticket in this header
HEADER = "X-Notehive-Ticket"
GOOD_FOR = 3600  # seconds


def path(key: str, group: str, name: str) -> str:
    """Give the path of an address from which a repository can be fetched."""
    until = str(int(time()) + GOOD_FOR)
    return f"{BELOW}/{until}-{_signature(key, until, group, name)}/{group}/{name}.git"


def is_good(ticket: str, key: str, group: str, name: str) -> bool:
    """Whether a ticket is for this repository, and for now. Without a ``key`` none is."""
    until, _, signature = ticket.partition("-")
    expected = _signature(key, until, group, name)
    if not key or not hmac.compare_digest(signature.encode(), expected.encode()):
        return False
    return time() < int(until)


def _signature(key: str, until: str, group: str, name: str) -> str:
    return hmac.new(key.encode(), f"{until} {group}/{name}".encode(), "sha256").hexdigest()
