"""The one way out of a container that gathers: to the package index and the Debian mirrors.

It is a web server on a socket in a volume. Its address ``/https/HOST/PATH`` is the mirror's
``https://HOST/PATH``; the mirror's password stays here, and so does everything else.
"""

import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, encode_basic_auth, web
from yarl import URL

from notehive import shell
from notehive.builder import pages

INDEX = Path("/run/secrets/package-index")  # what `mirrors.pypi` says, if it says something
APT = Path("/etc/apt")  # the mirrors that all images of the site have
TIMEOUT = ClientTimeout(total=None, sock_connect=20, sock_read=120)
ASKED = ("Accept", "Range", "If-Range", "If-Modified-Since", "Cache-Control")
ANSWERED = ("Content-Type", "Content-Length", "Content-Encoding", "Content-Range", "Last-Modified",
            "ETag", "Accept-Ranges")  # fmt: skip


def index_url(file: Path = INDEX) -> str:
    """Give the address of the package index: the site's own, or the one that uv has by default."""
    if file.exists():
        return file.read_text(encoding="utf-8").strip()
    said = shell.run(["uv", "pip", "compile", "--no-cache", "--emit-index-url", "-"]).out
    found = re.search(r"^--(?:default-)?index(?:-url)? (\S+)$", said, re.M)
    if not found:
        raise ValueError(f"uv names no package index: {said!r}")
    return found[1]


def debian_mirrors(directory: Path = APT) -> set[str]:
    """Give the origins (scheme and host) of the Debian mirrors of this image."""
    files = [directory / "sources.list", *(directory / "sources.list.d").glob("*")]
    lines = "\n".join(file.read_text(encoding="utf-8") for file in files if file.is_file())
    return set(re.findall(r"^(?:URIs:|deb\s).*?(https?://[^/\s]+)", lines, re.M))


class Door:
    """The server, as an aiohttp handler."""

    def __init__(self, index: str, mirrors: Iterable[str], session: ClientSession) -> None:
        parts = urlsplit(index)
        host = parts.netloc.rpartition("@")[2]
        self.origin = f"{parts.scheme}://{host}"
        self.index = f"/{parts.scheme}/{host}{parts.path.rstrip('/')}/"  # its path here
        self._login: dict[str, str] = {}
        if parts.username:
            told = (unquote(each or "") for each in (parts.username, parts.password))
            self._login["Authorization"] = encode_basic_auth(*told)
        self.origins = {self.origin, *mirrors}
        self._session = session

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request as the mirror does."""
        scheme, host, path = (*request.raw_path.removeprefix("/").split("/", 2), "", "")[:3]
        origin = f"{scheme}://{unquote(host)}"  # pip writes a port's colon as %3A
        if request.method not in ("GET", "HEAD") or origin not in self.origins:
            return web.Response(status=403, text="The door leads to the package mirrors alone.\n")
        url = URL(f"{origin}/{path}", encoded=True)
        wanted = {key: request.headers[key] for key in ASKED if key in request.headers}
        try:
            async with self._session.request(
                request.method,
                url,
                headers={
                    **wanted,
                    **(self._login if origin == self.origin else {}),
                    "Accept-Encoding": "identity",
                },
            ) as answer:
                kept = {key: answer.headers[key] for key in ANSWERED if key in answer.headers}
                if origin == self.origin and pages.is_page(answer.content_type):
                    kind = answer.headers["Content-Type"]
                    body = await answer.read()
                    if answer.headers.get("Content-Encoding") == "gzip":
                        body = zlib.decompress(body, 47)
                    page = self._lead(body, answer.content_type, str(url), request.host)
                    return web.Response(
                        status=answer.status, body=page, headers={"Content-Type": kind}
                    )
                response = web.StreamResponse(status=answer.status, headers=kept)
                await response.prepare(request)
                async for chunk in answer.content.iter_chunked(1 << 16):
                    await response.write(chunk)
                await response.write_eof()
                return response
        except (ClientError, TimeoutError, ValueError, zlib.error) as error:
            return web.Response(status=502, text=f"{origin} does not answer: {error!r}\n")

    def _lead(self, body: bytes, kind: str, page: str, here: str) -> bytes:
        """Lead a page's links through this door, which opens to where they lead."""

        def way(link: str) -> str:
            parts = urlsplit(urljoin(page, link))
            origin = f"{parts.scheme}://{parts.netloc}"
            # An index that has its files elsewhere says so; by https, the elsewhere proves itself.
            if origin not in self.origins and parts.scheme == "https":
                self.origins.add(origin)
            rest = parts._replace(scheme="", netloc="").geturl()
            return f"http://{here}/{parts.scheme}/{parts.netloc}{rest}"

        return pages.lead(body, kind, way)


def new_session() -> ClientSession:
    """Give a client for the door: it hands on what comes as it comes."""
    return ClientSession(timeout=TIMEOUT, auto_decompress=False, trust_env=True)
