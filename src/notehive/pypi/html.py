"""Pages of package indexes in HTML (PEP 503), from and to what PEP 691 has as JSON."""

from html import escape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

METADATA = ("data-dist-info-metadata", "data-core-metadata")  # the first is its former name


class _Links(HTMLParser):
    """The files that a page links to."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.base = url
        self.files: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a link, or what links are relative to."""
        said = dict(attrs)
        href = said.get("href")
        if href and tag == "base":
            self.base = urljoin(self.base, href)
        elif href and tag == "a":
            self.files.append(_file(urljoin(self.base, href), said))


def read(text: str, url: str) -> list[dict[str, Any]]:
    """Give the files of a project's page, which came from ``url``."""
    links = _Links(url)
    links.feed(text)
    return links.files


def _file(link: str, said: dict[str, str | None]) -> dict[str, Any]:
    url, digest = urldefrag(link)
    filename = unquote(urlsplit(url).path.rpartition("/")[2])
    file: dict[str, Any] = {"filename": filename, "url": url, "hashes": _hashes(digest)}
    if requires := said.get("data-requires-python"):
        file["requires-python"] = requires
    for name in METADATA:
        if name in said:
            file["core-metadata"] = _hashes(said[name] or "") or True
    if "data-yanked" in said:
        file["yanked"] = said["data-yanked"] or True
    return file


def _hashes(text: str) -> dict[str, str]:
    """Give ``sha256=...`` as JSON has it; nothing if it is something else."""
    kind, _, digest = text.partition("=")
    return {kind: digest} if digest else {}


def write(page: dict[str, Any]) -> str:
    """Give a page, of a project or of all projects, for browsers and older clients."""
    if "projects" in page:
        title = "Packages"
        links = [_link(each["name"], {"href": f"{each['name']}/"}) for each in page["projects"]]
    else:
        title = page["name"]
        links = [_link(file["filename"], _attributes(file)) for file in page["files"]]
    head = f"<!DOCTYPE html>\n<html>\n<head><title>{escape(title)}</title></head>\n<body>"
    return "\n".join([head, f"<h1>{escape(title)}</h1>", *links, "</body>\n</html>\n"])


def _link(text: str, attributes: dict[str, str]) -> str:
    said = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<a {said}>{escape(text)}</a><br>"


def _attributes(file: dict[str, Any]) -> dict[str, str]:
    digest = _digest(file.get("hashes"))
    found = {"href": f"{file['url']}#{digest}" if digest else file["url"]}
    if requires := file.get("requires-python"):
        found["data-requires-python"] = requires
    if metadata := file.get("core-metadata"):
        found |= dict.fromkeys(METADATA, _digest(metadata) or "true")
    if yanked := file.get("yanked"):
        found["data-yanked"] = "" if yanked is True else yanked
    return found


def _digest(hashes: Any) -> str:
    """Give the best of some hashes as ``sha256=...``; nothing if there is none."""
    if not isinstance(hashes, dict) or not hashes:
        return ""
    kind = "sha256" if "sha256" in hashes else next(iter(hashes))
    return f"{kind}={hashes[kind]}"
