"""The door: what leads through it, and what does not. The mirrors are small servers here."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import RawTestServer, TestServer
from yarl import URL

from notehive.builder import door, pages
from notehive.builder.door import Door

FILE = b"PK\x03\x04 a wheel"


async def index(request: web.Request) -> web.Response:
    """A package index, which wants a password and has its files beside its pages."""
    if request.headers.get("Authorization") != "Basic bWU6c2VjcmV0":  # me:secret
        return web.Response(status=401)
    if request.path.startswith("/files/"):
        return web.Response(body=FILE[request.http_range], content_type="application/zip")
    links = ["../../files/tiny-1.whl#sha256=ab", "https://else.example/tiny-2.whl",
             "http://postgres:5432/x"]  # fmt: skip
    if pages.JSON in request.headers["Accept"]:
        page = {"name": "tiny", "files": [{"url": each, "yanked": "https://no.example/"}
                                          for each in links]}  # fmt: skip
        return web.Response(body=json.dumps(page).encode(), content_type=pages.JSON)
    text = "".join(
        f'<a href="{each}" data-yanked="see &lt;a href=&quot;https://no.example/&quot;&gt;">'
        f"tiny &amp; co</a><br>"
        for each in links
    )
    return web.Response(text=f"<p>https://no.example/ {text}", content_type="text/html")


Check = Callable[[Door, str, str, ClientSession], Awaitable[None]]


def through(check: Check) -> None:
    """Do a check with a door, its address, the index's own one, and a client."""

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", index)
        async with TestServer(app) as mirror, door.new_session() as session:
            host = f"{mirror.host}:{mirror.port}"
            way = Door(f"http://me:secret@{host}/simple/", {"http://deb.example"}, session)
            async with (
                RawTestServer(way) as server,
                ClientSession(f"http://{server.host}:{server.port}") as client,
            ):
                await check(way, f"{server.host}:{server.port}", host, client)

    asyncio.run(run())


def test_pages_lead_through_the_door() -> None:
    async def check(way: Door, here: str, host: str, client: ClientSession) -> None:
        assert way.index == f"/http/{host}/simple/"
        async with client.get(f"{way.index}tiny/", headers={"Accept": pages.JSON}) as answer:
            assert answer.status == 200
            assert answer.content_type == pages.JSON
            page = json.loads(await answer.read())
        links = [
            f"http://{here}/http/{host}/files/tiny-1.whl#sha256=ab",
            f"http://{here}/https/else.example/tiny-2.whl",
            f"http://{here}/http/postgres:5432/x",
        ]
        assert [each["url"] for each in page["files"]] == links
        assert page["name"] == "tiny"
        async with client.get(f"{way.index}tiny/", headers={"Accept": "text/html"}) as answer:
            text = await answer.text()
        yanked = "see &lt;a href=&quot;https://no.example/&quot;&gt;"
        assert text.splitlines() == [
            "<!DOCTYPE html>",
            *(f'<a href="{each}" data-yanked="{yanked}">tiny &amp; co</a>' for each in links),
        ]
        # Where files are, by https; not what authors write, and nothing without TLS.
        assert way.origins == {f"http://{host}", "http://deb.example", "https://else.example"}
        async with client.get(links[0].partition(here)[2]) as answer:
            assert await answer.read() == FILE
        quoted = URL(f"/http/{quote(host)}/files/tiny-1.whl", encoded=True)
        assert "%3A" in str(quoted), "as pip writes it"
        async with client.get(quoted) as answer:
            assert await answer.read() == FILE
        ranged = {"Range": "bytes=0-3"}
        async with client.get(links[0].partition(here)[2], headers=ranged) as answer:
            assert await answer.read() == FILE[:4]

    through(check)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/simple/tiny/"),
        ("GET", "/http/registry:5000/v2/"),
        ("GET", "/http/172.17.0.1:2375/version"),
        ("GET", "/http/169.254.169.254/latest/meta-data/"),
        ("GET", "/http/{host}%2F..%2Fregistry:5000/v2/"),
        ("GET", "/http/me:secret@{host}/simple/"),
        ("GET", "/http/{host}@registry:5000/v2/"),
        ("GET", "/https/{host}/simple/"),
        ("GET", "/https/deb.example/debian/"),
        ("GET", "/file//etc/passwd"),
        ("POST", "/http/{host}/simple/"),
        ("PUT", "/http/{host}/simple/"),
        ("DELETE", "/http/{host}/simple/"),
    ],
)
def test_the_door_leads_nowhere_else(method: str, path: str) -> None:
    async def check(way: Door, here: str, host: str, client: ClientSession) -> None:
        async with client.request(method, path.replace("{host}", host)) as answer:
            assert answer.status == 403
            assert await answer.text() == "The door leads to the package mirrors alone.\n"

    through(check)


def test_what_the_mirror_says_is_said_here() -> None:
    async def check(way: Door, here: str, host: str, client: ClientSession) -> None:
        way._login = {}
        async with client.get(f"{way.index}tiny/") as answer:
            assert answer.status == 401
        way.origins.add("http://127.0.0.1:1")
        async with client.get("/http/127.0.0.1:1/x") as answer:
            assert answer.status == 502
            assert "http://127.0.0.1:1 does not answer" in await answer.text()

    through(check)


def test_the_mirrors_of_an_image(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(
        "# deb http://no.example/debian\ndeb [signed-by=/x] http://one.example/debian trixie main\n"
    )
    (tmp_path / "sources.list.d/debian.sources").write_text(
        "Types: deb\n# https://no.example\nURIs: https://two.example:8443/debian\nSuites: trixie\n"
    )
    mirrors = {"http://one.example", "https://two.example:8443"}
    assert door.debian_mirrors(tmp_path) == mirrors


def test_the_index_is_the_sites_or_that_of_uv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "package-index"
    secret.write_text("https://mirror.example/simple\n")
    assert door.index_url(secret) == "https://mirror.example/simple"
    secret.unlink()
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://default.example/simple")
    assert door.index_url(secret) == "https://default.example/simple"
