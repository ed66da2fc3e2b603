"""Pages of a package index, with their links led through the door."""

import json
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

JSON = "application/vnd.pypi.simple.v1+json"
HTML = ("text/html", "application/vnd.pypi.simple.v1+html")

Lead = Callable[[str], str]  # gives the address in place of a link


def is_page(kind: str) -> bool:
    """Whether a content type is one that an index describes a package in."""
    return kind == JSON or kind in HTML


def lead(body: bytes, kind: str, way: Lead) -> bytes:
    """Give a page with other links. Raises ValueError for one that is not what it is called.

    Only what a client follows counts as a link: authors of packages write texts in these pages.
    """
    if kind == JSON:
        page = json.loads(body)
        for file in page.get("files", ()):
            file["url"] = way(file["url"])
        return json.dumps(page).encode()
    anchors = _Anchors(way)
    anchors.feed(body.decode())
    anchors.close()
    return "\n".join(["<!DOCTYPE html>", *anchors.found, ""]).encode()


class _Anchors(HTMLParser):
    """The anchors of a page, written anew."""

    def __init__(self, way: Lead) -> None:
        super().__init__()
        self.way, self.found = way, list[str]()
        self._open: dict[str, str] | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._open, self._text = {key: value or "" for key, value in attrs}, ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._open is not None:
            told = self._open | {"href": self.way(self._open.get("href", ""))}
            flat = " ".join(f'{key}="{escape(value)}"' for key, value in told.items())
            self.found.append(f"<a {flat}>{escape(self._text)}</a>")
            self._open = None
