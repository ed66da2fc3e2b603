"""What can be asked of the repositories; a request that is nothing of this has no answer.

Only git's smart protocol is spoken: the files of a repository are never served as such.
"""

import re
from enum import Enum, auto
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

GROUP = r"[a-z0-9][a-z0-9-]{0,23}"  # as settings.yml allows it
NAME = r"[a-z0-9][a-z0-9-]{0,38}[a-z0-9]"
REPOSITORY = re.compile(rf"/(?P<group>{GROUP})/(?P<name>{NAME})\.git(?P<rest>/.*)?")
FETCH, PUSH = "git-upload-pack", "git-receive-pack"  # as the protocol calls them

# Of cgit: the pages that it writes, and what it gives as it is in the repository.
PAGES = {"", "about", "blame", "commit", "diff", "log", "refs", "stats", "summary", "tag", "tree"}
RAW = {"patch", "plain"}
# Of its queries none that would have it show another page or repository than the path says.
QUERIES = {
    *("all", "context", "dt", "follow", "h", "id", "id2", "ignorews", "n", "ofs", "period"),
    *("q", "qt", "s", "showmsg", "ss"),
}


class Kind(Enum):
    """What a request is about."""

    LIST = auto()
    STYLE = auto()
    PAGE = auto()
    RAW = auto()
    FETCH = auto()
    PUSH = auto()


class Wish(NamedTuple):
    """A request that can be answered."""

    kind: Kind
    path: str  # decoded, as CGI programs are told it
    query: str  # as it came
    group: str = ""
    name: str = ""


def read(method: str, target: str) -> Wish | None:
    """Give what is asked for by a request's method and its target, as it came below ``/git``."""
    raw, _, query = target.partition("?")
    path = unquote(raw)
    if not is_plain(raw, path):
        return None
    if path == "/cgit.css":
        return Wish(Kind.STYLE, path, "") if method in ("GET", "HEAD") else None
    if path == "/":
        return Wish(Kind.LIST, path, query) if is_look(method, query) else None
    match = REPOSITORY.fullmatch(path)
    if match is None or not raw.startswith(f"/{match['group']}/{match['name']}.git"):
        return None
    rest = match["rest"] or ""
    kind = of_protocol(method, rest, query) or of_cgit(method, rest, query)
    return Wish(kind, path, query, match["group"], match["name"]) if kind else None


def of_protocol(method: str, rest: str, query: str) -> Kind | None:
    """Give the direction of a request of git's protocol, by what follows the repository."""
    kinds = {FETCH: Kind.FETCH, PUSH: Kind.PUSH}
    if method == "GET" and rest == "/info/refs":
        return kinds.get(query.removeprefix("service=")) if query.startswith("service=") else None
    if method == "POST" and not query:
        return kinds.get(rest.removeprefix("/"))
    return None


def of_cgit(method: str, rest: str, query: str) -> Kind | None:
    """Give the kind of a page of cgit, by what follows the repository."""
    page = rest.removeprefix("/").partition("/")[0]
    if not is_look(method, query):
        return None
    return Kind.PAGE if page in PAGES else Kind.RAW if page in RAW else None


def is_look(method: str, query: str) -> bool:
    """Whether cgit may be asked so."""
    keys = {key for key, _ in parse_qsl(query, keep_blank_values=True)}
    return method in ("GET", "HEAD") and keys <= QUERIES


def is_plain(raw: str, path: str) -> bool:
    """Whether a path, as it came and decoded, means the same to all who read it."""
    segments = path.split("/")
    return (
        path.startswith("/")
        and not re.search(r"%2f|%5c", raw, re.IGNORECASE)
        and not re.search(r"[\x00-\x1f\x7f\\\ufffd]", path)
        and not {".", ".."} & set(segments)
        and "" not in segments[1:-1]
    )
