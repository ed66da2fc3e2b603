"""Pages of package indexes, as they are spelt in the world."""

from typing import Any

import pytest

from notehive.pypi import html
from notehive.pypi import page as pages
from notehive.pypi.page import Source

URL = "https://index.example.com/simple/six/"
DIGEST = "a" * 64


def read_html(body: str) -> dict[str, Any]:
    return pages.read(body.encode(), "text/html; charset=utf-8", URL)


def test_html() -> None:
    page = read_html(
        "<!DOCTYPE html><html><body><h1>Links for six</h1>"
        f'<a href="../../packages/six-1.0-py3-none-any.whl#sha256={DIGEST}" '
        'data-requires-python="&gt;=3.9" data-yanked="bad &amp; old" '
        f'data-dist-info-metadata="sha256={DIGEST}">six</a>'
        '<a href="https://files.example.com/six-1.0.tar.gz?signed=1#md5=00" data-yanked>x</a>'
        '<a href="six-2%2B1.0.tar.gz" data-core-metadata="true">x</a>'
        "<a>nothing</a></body></html>"
    )
    wheel, old, local = page["files"]
    assert wheel == {
        "filename": "six-1.0-py3-none-any.whl",
        "url": "https://index.example.com/packages/six-1.0-py3-none-any.whl",
        "hashes": {"sha256": DIGEST},
        "requires-python": ">=3.9",
        "core-metadata": {"sha256": DIGEST},
        "yanked": "bad & old",
    }
    assert (old["filename"], old["hashes"]) == ("six-1.0.tar.gz", {"md5": "00"})
    assert old["yanked"] is True
    assert (local["filename"], local["core-metadata"]) == ("six-2+1.0.tar.gz", True)
    found = pages.sources(page)
    metadata = f"{wheel['url']}.metadata"
    assert found["six-1.0-py3-none-any.whl.metadata"] == Source(metadata, DIGEST)
    assert found["six-1.0.tar.gz"] == Source(
        "https://files.example.com/six-1.0.tar.gz?signed=1", ""
    )
    assert "six-1.0.tar.gz.metadata" not in found


def test_a_base_of_links() -> None:
    page = read_html('<base href="/files/"><a href="six-1.0.tar.gz">x</a>')
    assert page["files"][0]["url"] == "https://index.example.com/files/six-1.0.tar.gz"


def test_json_of_an_older_index() -> None:
    body = (
        b'{"meta": {"api-version": "1.0"}, "name": "six", "files": [{"filename": "six-1.0.tar.gz",'
        b' "url": "/f/six-1.0.tar.gz", "hashes": {}, "dist-info-metadata": true, "size": 3},'
        b' {"filename": "../../etc/passwd", "url": "x", "hashes": {}}]}'
    )
    page = pages.read(body, pages.JSON, URL)
    [file] = page["files"]
    assert file["url"] == "https://index.example.com/f/six-1.0.tar.gz"
    assert file["core-metadata"] is True
    assert file["size"] == 3
    assert "dist-info-metadata" not in file


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"files": 1}', b"<html>"])
def test_no_page(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        pages.read(body, pages.JSON, URL)


def test_what_is_read_from_html_is_written_the_same() -> None:
    """But for where the files are: that is beside the page, under names that need no quotes."""
    text = (
        f'<a href="f/six-1.0-py3-none-any.whl#sha256={DIGEST}" data-requires-python="&gt;=3.9" '
        f'data-core-metadata="sha256={DIGEST}" data-yanked="&quot;bad&quot;">x</a>'
    )
    page = pages.beside(read_html(text), "six")
    again = read_html(html.write(page))
    assert again["files"] == [{**page["files"][0], "url": f"{URL}six-1.0-py3-none-any.whl"}]
    assert "<script>" not in html.write({"name": "<script>", "files": []})
