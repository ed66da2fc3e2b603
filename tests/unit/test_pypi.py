"""The package index as clients meet it: real HTTP, a stand-in of the index upstream."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from notehive.pypi.page import JSON
from tests.images.wheel import wheel
from tests.support.package_index import LIMIT, Running, running
from tests.support.site import wait_for

SIX, SEVEN = "six-1.0-py3-none-any.whl", "seven-1.0-py3-none-any.whl"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as index:
        yield index


# What is upstream


def test_a_page_and_its_files(index: Running) -> None:
    made = index.upstream.has("six")
    page = index.ask("/simple/six/")
    assert page.headers["Content-Type"] == JSON
    [file] = page.json()["files"]
    assert file["url"] == SIX, "found beside the page"
    assert file["hashes"] == {"sha256": hashlib.sha256(made).hexdigest()}
    assert index.ask(f"/simple/six/{SIX}").content == made
    assert index.ask(f"/simple/six/{SIX}.metadata").status_code == 200
    assert index.upstream.asked[1:] == [f"/files/six/{SIX}", f"/files/six/{SIX}.metadata"]


def test_a_browser_gets_html(index: Running) -> None:
    index.upstream.has("six")
    page = index.ask("/simple/six/", headers={"Accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert f'<a href="{SIX}#sha256=' in page.text


def test_names_lead_to_their_usual_form(index: Running) -> None:
    index.upstream.has("six")
    for name, location in (("Six/", "../six/"), ("six", "six/"), ("S.I_X", "s-i-x/")):
        answer = index.ask(f"/simple/{name}", allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (301, location)
    assert index.files("/simple/SIX") == [SIX]
    for path in ("/simple/six/%2e%2e%2fsix", "/simple/..%2fx/", f"/simple/six/..%2f{SIX}"):
        assert index.ask(path).status_code in (301, 404), path


def test_what_is_not_upstream_is_not_here(index: Running) -> None:
    assert index.ask("/simple/six/").status_code == 404
    index.upstream.has("six")
    assert index.ask("/simple/six/six-2.0.tar.gz").status_code == 404


def test_with_upstream_cut_what_was_wanted_before_is_there(index: Running) -> None:
    made = index.upstream.has("six")
    assert index.ask(f"/simple/six/{SIX}").content == made
    index.upstream.has("seven")
    index.set(silent=True)
    index.age()
    assert index.files("/simple/six/") == [SIX]
    assert index.ask(f"/simple/six/{SIX}").content == made
    answer = index.ask("/simple/seven/")
    assert answer.status_code == 502
    assert "upstream" in answer.text


def test_an_old_page_is_asked_for_again(index: Running) -> None:
    index.upstream.has("six")
    for _ in range(3):
        index.files("/simple/six/")
    assert len(index.upstream.asked) == 1
    index.age()
    assert index.files("/simple/six/") == [SIX]  # it had not changed
    index.age()
    index.upstream.has("six", "2.0")
    assert len(index.files("/simple/six/")) == 2
    index.age()
    del index.upstream.files["six"]
    assert index.ask("/simple/six/").status_code == 404


@pytest.mark.parametrize("page", [{"files": "none"}, {"files": [1]}, {"files": [{"url": "x"}]}])
def test_a_page_that_is_none(index: Running, page: dict[str, Any]) -> None:
    index.upstream.has("six")
    index.upstream.page = page
    answer = index.ask("/simple/six/")
    assert answer.status_code == 502 or answer.json()["files"] == []


def test_a_file_is_read_while_it_comes(index: Running) -> None:
    made = index.upstream.has("six")
    index.upstream.gate.clear()
    with index.ask(f"/simple/six/{SIX}", stream=True) as answer:
        half = answer.raw.read(len(made) // 2)
        assert made.startswith(half)
        index.go_on()
        assert half + answer.raw.read() == made


def test_a_file_comes_once_for_all_who_want_it(index: Running) -> None:
    made = index.upstream.has("six")
    index.upstream.gate.clear()
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(index.ask, f"/simple/six/{SIX}") for _ in range(4)]
        wait_for("the first", lambda: f"/files/six/{SIX}" in index.upstream.asked)
        index.go_on()
        assert all(each.result().content == made for each in asked)
    assert index.upstream.asked.count(f"/files/six/{SIX}") == 1


def test_a_part_of_a_file(index: Running) -> None:
    """Of one that is here. uv asks for the end of wheels, if it hears that it may."""
    made = index.upstream.has("six")
    path, last = f"/simple/six/{SIX}", {"Range": "bytes=-20"}
    index.upstream.gate.clear()
    asked = index.ask(path, "HEAD")
    assert "Accept-Ranges" not in asked.headers
    assert asked.headers["Content-Length"] == str(len(made)), "without waiting for all of it"
    with index.ask(path, headers=last, stream=True) as answer:
        index.go_on()
        assert answer.content == made
    wait_for("all of it", lambda: len(index.kept) == 1)
    assert index.ask(path, "HEAD").headers["Accept-Ranges"] == "bytes"
    answer = index.ask(path, headers=last)
    assert (answer.status_code, answer.content) == (206, made[-20:])


def test_a_file_that_ends_too_soon_is_not_kept(index: Running) -> None:
    made = index.upstream.has("six")
    index.set(cut=True)
    with pytest.raises(requests.RequestException):
        index.ask(f"/simple/six/{SIX}")
    assert index.kept == []
    index.set(cut=False)
    assert index.ask(f"/simple/six/{SIX}").content == made


def test_a_file_that_is_another_is_not_kept(index: Running) -> None:
    index.upstream.has("six")
    index.files("/simple/six/")
    index.upstream.has("six", answer=43)  # of the same name
    index.ask(f"/simple/six/{SIX}")  # the client knows the digest too
    assert index.kept == []


def test_what_was_not_wanted_for_longest_goes(index: Running, tmp_path: Path) -> None:
    names = ["one", "two", "three"]
    for name in names:
        index.upstream.files[name] = {f"{name}-1.0.tar.gz": name.encode() * (LIMIT // 8)}
        index.ask(f"/simple/{name}/{name}-1.0.tar.gz")
        index.ask("/simple/one/one-1.0.tar.gz")  # is wanted again and again
    wait_for("less than the limit", lambda: len(index.kept) == 2)
    asked = len(index.upstream.asked)
    index.ask("/simple/one/one-1.0.tar.gz")
    assert len(index.upstream.asked) == asked, "it is still here"


@pytest.mark.parametrize(
    ("login", "shown"), [("me:a%2Fb", "Basic bWU6YS9i"), ("token", "Basic dG9rZW46"), ("", "")]
)
def test_the_index_is_shown_the_login(tmp_path: Path, login: str, shown: str) -> None:
    with running(tmp_path, login) as index:
        index.upstream.has("six")
        index.ask(f"/simple/six/{SIX}")
        assert index.upstream.logins == [shown, shown]
        # Another name of the same machine: who is there is not known.
        made = index.upstream.has("seven")
        url = f"http://localhost:{index.upstream_port}/files/seven/{SEVEN}"
        index.upstream.page = {"files": [{"filename": SEVEN, "url": url, "hashes": {}}]}
        assert index.ask(f"/simple/seven/{SEVEN}").content == made
        assert index.upstream.logins[2:] == [shown, ""]


# What is a group's own


def test_an_own_package(index: Running) -> None:
    assert index.send("lab", "six").status_code == 200
    made = wheel("six")
    [file] = index.ask("/lab/simple/six/", edits="lab").json()["files"]
    assert file["url"] == SIX
    assert file["requires-python"] == ">=3.9"
    assert file["size"] == len(made)
    for root in ("/simple", "/lab/simple"):
        assert index.ask(f"{root}/six/{SIX}", edits="lab").content == made
        metadata = index.ask(f"{root}/six/{SIX}.metadata", edits="lab").content
        assert hashlib.sha256(metadata).hexdigest() == file["core-metadata"]["sha256"]
        assert b"Name: six" in metadata
        assert "six" in index.ask(f"{root}/", edits="lab").text
    assert "six" not in index.ask("/simple/").text


def test_own_ones_are_never_mixed_with_those_upstream(index: Running) -> None:
    index.upstream.has("six", "9.9")
    index.send("lab", "six", of={"answer": 43})
    for root in ("/simple", "/lab/simple"):
        assert index.files(f"{root}/six/", edits="lab") == [SIX]
        upstreams = index.ask(f"{root}/six/six-9.9-py3-none-any.whl", edits="lab")
        assert upstreams.status_code == 404
    assert index.files("/simple/six/", edits="guild") == ["six-9.9-py3-none-any.whl"]
    # With all files removed, the name is still theirs; with the project, it is upstream's.
    assert index.ask(f"/lab/simple/six/{SIX}", "DELETE", edits="lab").status_code == 204
    assert index.files("/simple/six/", edits="lab") == []
    assert index.ask("/lab/simple/six/", "DELETE", edits="lab").status_code == 204
    assert index.files("/simple/six/", edits="lab") == ["six-9.9-py3-none-any.whl"]


def test_upstream_is_in_a_groups_index_too(index: Running) -> None:
    made = index.upstream.has("six")
    assert index.ask(f"/lab/simple/six/{SIX}", edits="lab").content == made


def test_who_may_what(index: Running) -> None:
    index.upstream.has("six", "9.9")
    index.send("guild", "six")
    theirs = f"/guild/simple/six/{SIX}"
    for who, sees, changes in (
        ({"edits": "guild"}, 200, 200),
        ({"edits": "lab", "reads": "guild"}, 200, 403),
        ({"edits": "lab"}, 404, 404),
        ({"edits": "lab", "admin": "yes"}, 200, 200),
    ):
        assert index.ask(theirs, **who).status_code == sees, who
        assert index.ask("/guild/simple/", **who).status_code == sees, who
        assert index.send("guild", "six", "2.0", **who).status_code == changes, who
        removed = index.ask("/guild/simple/six/six-2.0-py3-none-any.whl", "DELETE", **who)
        assert removed.status_code == {200: 204}.get(changes, changes), who
    assert index.send("nobody", "six", edits="lab", admin="yes").status_code == 404


def test_nobody_outside_of_ones_groups_replaces_what_is_upstream(index: Running) -> None:
    index.upstream.has("six", "9.9")
    index.send("guild", "six")
    for who in ({"edits": "lab,everyone", "reads": "guild"}, {"edits": "", "admin": "yes"}):
        assert index.files("/simple/six/", **who) == ["six-9.9-py3-none-any.whl"]
    refused = index.send("everyone", "six")
    assert refused.status_code == 403
    assert "everybody" in refused.text
    assert index.send("everyone", "seven").status_code == 200
    assert index.files("/simple/seven/", edits="lab,everyone") == [SEVEN]
    # One's own group goes before what belongs to everybody, and what is there stays.
    index.send("lab", "seven", "2.0")
    assert index.files("/simple/seven/", edits="everyone,lab") == ["seven-2.0-py3-none-any.whl"]
    index.upstream.has("seven", "9.9")
    assert index.send("everyone", "seven", "3.0").status_code == 200


def test_while_upstream_is_cut_nothing_new_is_for_everyone(index: Running) -> None:
    index.set(silent=True)
    assert index.send("everyone", "six").status_code == 502
    assert index.send("lab", "six").status_code == 200


@pytest.mark.parametrize("named", [{"key": "other"}, {"key": ""}, {"user": ""}])
def test_only_nginx_says_who_asks(index: Running, named: dict[str, str]) -> None:
    index.upstream.has("six")
    assert index.ask("/simple/six/", **named).status_code == 403
    assert index.send("lab", "six", **named).status_code == 403
    assert index.ask("/health", **named).status_code == 200


@pytest.mark.parametrize(
    "path",
    [f"six/{SIX}.metadata", f"six/{SIX}.json", "six/..%2fsix", "..%2flab/", "other/", "six/x"],
)
def test_what_is_not_there_is_not_removed(index: Running, path: str) -> None:
    index.send("lab", "six")
    assert index.ask(f"/lab/simple/{path}", "DELETE", edits="lab").status_code == 404
    assert index.ask(f"/simple/six/{SIX}.metadata", edits="lab").status_code == 200


# What is sent


def test_a_file_is_taken_once(index: Running) -> None:
    assert index.send("lab", "six").status_code == 200
    assert index.send("lab", "six").status_code == 200, "the same may be sent again"
    taken = index.send("lab", "six", of={"answer": 43})
    assert taken.status_code == 409
    assert "already exists" in taken.text
    assert index.ask(f"/simple/six/{SIX}", edits="lab").content == wheel("six")


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({"filename": "six.whl"}, "Invalid wheel filename"),
        ({"filename": "six-1.0.exe"}, "six-1.0.exe"),
        ({"filename": "..\\six-1.0-py3-none-any.whl"}, "odd name"),
        ({"filename": "six-1.0-py3-none-any/../x.whl"}, "odd name"),
        ({"filename": "six-x-py3-none-any.whl"}, "version"),
        ({"content": b"nothing"}, "no wheel"),
        ({"content": wheel("six")[:-30]}, "no wheel"),
        ({"content": wheel("seven")}, "says of itself that it is seven"),
        ({"form": {"name": "seven"}}, "says of itself that it is seven"),
        ({"form": {"sha256_digest": "0" * 64}}, "another digest"),
        ({"form": {":action": "submit"}}, ":action"),
        ({"files": None}, "no form"),
        ({"files": {"other": b"x"}}, "odd name"),
        ({"data": b"x", "files": None, "headers": {"Content-Type": "multipart/form-data"}}, "bou"),
        (
            {
                "data": b"--x\r\nContent-Dis",
                "files": None,
                "headers": {"Content-Type": "multipart/form-data; boundary=x"},
            },
            "",
        ),
    ],
)
def test_what_is_no_package(index: Running, sent: dict[str, Any], why: str) -> None:
    answer = index.send("lab", "six", **sent)
    assert answer.status_code == 400, answer.text
    assert why in answer.text
    assert index.ask("/simple/", edits="lab").json()["projects"] == []
    assert not list((index.directory / "in").iterdir())


def test_it_arrives_with_and_without_a_slash_at_the_end(index: Running) -> None:
    for end in ("", "/"):
        form: dict[str, Any] = {
            "data": {":action": "file_upload"},
            "files": {"content": (SIX, wheel("six"))},
        }
        assert index.ask(f"/lab{end}", "POST", edits="lab", **form).status_code == 200


def test_a_source_distribution(index: Running) -> None:
    form = {"requires_python": ">=3.8"}
    sent: dict[str, Any] = {"filename": "six-1.0.tar.gz", "content": b"packed", "form": form}
    assert index.send("lab", "six", **sent).status_code == 200
    [file] = index.ask("/simple/six/", edits="lab").json()["files"]
    assert file["requires-python"] == ">=3.8"
    assert "core-metadata" not in file
