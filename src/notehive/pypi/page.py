"""Pages of the simple API of package indexes, as PEP 691 has them in JSON, from any of them."""

import json
import re
from typing import Any, NamedTuple
from urllib.parse import quote, urldefrag, urljoin

from notehive.pypi import html

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
ACCEPT = f"{JSON}, {HTML};q=0.2, text/html;q=0.1"  # what we ask other indexes for
METADATA = ".metadata"  # PEP 658: ends the name of the metadata beside a file
FILENAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+!-]*")

Page = dict[str, Any]


class Source(NamedTuple):
    """Where a file is, and its digest if the index tells it."""

    url: str
    sha256: str


def read(body: bytes, content_type: str, url: str) -> Page:
    """Give a project's page, with whole addresses; ``url`` is where it came from.

    Raises ValueError if it is none.
    """
    if "json" in content_type:
        page = json.loads(body)
    else:
        page = {"meta": {"api-version": "1.0"}, "files": html.read(body.decode(), url)}
    if not isinstance(page, dict) or not isinstance(page.get("files"), list):
        raise ValueError("gives no page of a package index")
    files = []
    for file in page["files"]:
        if isinstance(file, dict) and FILENAME.fullmatch(str(file.get("filename", ""))):
            # Clients look for the present name alone.
            metadata = file.get("core-metadata", file.pop("dist-info-metadata", None))
            said = {"core-metadata": metadata} if metadata else {}
            files.append({**file, **said, "url": urljoin(url, str(file.get("url")))})
    return {**page, "files": files}


def sources(page: Page) -> dict[str, Source]:
    """Give where each file of a page is, and the metadata beside it."""
    found = {}
    for file in page["files"]:
        url = urldefrag(file["url"]).url
        found[file["filename"]] = Source(url, _sha256(file.get("hashes")))
        if metadata := file.get("core-metadata"):
            found[file["filename"] + METADATA] = Source(url + METADATA, _sha256(metadata))
    return found


def _sha256(hashes: Any) -> str:
    digest = str(hashes.get("sha256")) if isinstance(hashes, dict) else ""
    return digest if re.fullmatch("[0-9a-f]{64}", digest) else ""


def beside(page: Page, name: str) -> Page:
    """Give a page of which each file is found beside the page itself, whatever its address."""
    files = [{**file, "url": quote(file["filename"], safe="!+")} for file in page["files"]]
    return {**page, "name": name, "files": files}


def listing(projects: list[str]) -> Page:
    """Give the page that lists these projects."""
    return {"meta": {"api-version": "1.1"}, "projects": [{"name": name} for name in projects]}
