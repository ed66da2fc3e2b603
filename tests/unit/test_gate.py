"""Who gets through the gate: its real handlers, asked over HTTP, with a stand-in for the hub."""

import asyncio
import base64
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler, create_signed_value

from notehive.gate import app
from notehive.hub import config
from notehive.settings import Group

SITE = "workbench.example.com:8080"
COOKIE_SECRET = "c" * 64
FORMER_SECRET = "f" * 64
COOKIE_SECRETS = (COOKIE_SECRET, FORMER_SECRET)
OUR_NUMBER = config.key_number(COOKIE_SECRET)
OPEN = ["access:services!service=gate"]
GROUPS = {"red": Group(), "blue": Group(shared="everyone"), "grey": Group(shared="none")}
USERS = {
    "ana-token": {"kind": "user", "name": "ana", "scopes": OPEN},
    "all-token": {"kind": "user", "name": "boss", "scopes": ["access:services", "list:users"]},
    "own-token": {"kind": "user", "name": "ana", "scopes": ["access:servers!server=ana/"]},
    "other-token": {"kind": "user", "name": "ana", "scopes": ["access:services!service=jobs"]},
    "bare-token": {"kind": "user", "name": "ana", "scopes": []},
    "odd-token": {"kind": "user", "name": "zoë日\r\nX-Admin: 1", "scopes": OPEN},
    "red-token": {"kind": "user", "name": "ana", "scopes": OPEN, "groups": ["red", "grey", "old"]},
    "admin-token": {"kind": "user", "name": "boss", "scopes": [*OPEN, "admin-ui"]},
    "service-token": {"kind": "service", "name": "ana", "scopes": OPEN},
}


@pytest.mark.parametrize(
    ("method", "upgrade", "headers", "allowed"),
    [
        # What changes nothing may come from anywhere: links from other sites must work.
        ("GET", "", {}, True),
        ("HEAD", "", {"Sec-Fetch-Site": "cross-site"}, True),
        ("OPTIONS", "", {"Origin": "http://evil"}, True),
        # What changes something must come from a page of this site.
        ("POST", "", {"Sec-Fetch-Site": "same-origin"}, True),
        ("POST", "", {"Sec-Fetch-Site": "same-site"}, False),  # another port of this host
        ("POST", "", {"Sec-Fetch-Site": "cross-site", "Origin": f"http://{SITE}"}, False),
        ("DELETE", "", {"Sec-Fetch-Site": "none"}, False),
        ("PUT", "", {"Origin": f"http://{SITE}"}, True),
        ("PUT", "", {"Origin": f"https://{SITE}"}, True),
        ("PATCH", "", {"Origin": "http://evil"}, False),
        ("POST", "", {"Origin": "http://workbench.example.com"}, False),
        ("POST", "", {"Origin": f"http://{SITE}.evil"}, False),
        ("POST", "", {"Origin": f"http://evil/{SITE}"}, False),
        ("POST", "", {"Origin": f"http://evil@{SITE}"}, False),
        ("POST", "", {"Origin": "null"}, False),
        ("POST", "", {"Origin": "http://[", "Host": "["}, True),
        ("POST", "", {"Origin": "http://["}, False),
        ("POST", "", {}, False),
        ("POST", "", {"Origin": "null", "Host": ""}, False),
        ("POST", "", {"Origin": "http://", "Host": ""}, False),
        # A WebSocket is a GET that can do everything.
        ("GET", "websocket", {}, False),
        ("GET", "websocket", {"Origin": "http://evil"}, False),
        ("GET", "websocket", {"Origin": f"http://{SITE}"}, True),
        ("", "", {}, False),
        ("get", "", {}, False),
    ],
)
def test_same_origin(method: str, upgrade: str, headers: dict[str, str], allowed: bool) -> None:
    assert app.same_origin(method, upgrade, {"Host": SITE, **headers}) is allowed


@pytest.mark.parametrize("path", ["/", "/mlflow/?a=b&c=d#/x", "/a//b", "/%2f%2fevil", "/ä"])
def test_local_path(path: str) -> None:
    assert app.local_path(path) == path


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "mlflow",
            "//evil",
            "///evil",
            "/\\evil",
            "\\\\evil",
            "\\/evil",
            "/a\\b",
            "https:/evil",
        ),
        *(
            "http://evil",
            "javascript:alert(1)",
            "/\t/evil",
            "\t//evil",
            " //evil",
            "/a b",
            "/a\r\nX: y",
        ),
        *("/a\n", "/\x00", "%2f%2fevil", "@evil"),
    ],
)
def test_elsewhere_becomes_the_front_page(url: str) -> None:
    assert app.local_path(url) == "/"


@given(st.text(alphabet=st.sampled_from("/\\:@?#%.\t\n a2f"), max_size=12))
def test_no_redirect_leaves_the_site(url: str) -> None:
    # What browsers do with an address: drop tabs and newlines, take "\" for "/".
    seen = re.sub(r"[\t\n\r]", "", app.local_path(url)).replace("\\", "/").strip()
    parts = urlsplit(f"{seen}")
    assert (parts.scheme, parts.netloc) == ("", "")
    assert seen.startswith("/")


class StandInHub(RequestHandler):
    """A stand-in for the hub's API: it knows the tokens above, and can be told to be ill."""

    status = 0
    asked = 0

    def get(self) -> None:
        type(self).asked += 1
        token = self.request.headers.get("Authorization", "").removeprefix("token ")
        if self.status:
            self.set_status(self.status)
        elif token in USERS:
            self.finish(json.dumps({"groups": [], "admin": False, **USERS[token]}))
        else:
            self.set_status(403)


class Gate:
    """The running gate, the stand-in hub behind it, and a client."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self._start())

    async def _start(self) -> None:
        socket, port = bind_unused_port()
        hub = Application([(r"/hub/api/user", StandInHub)])
        self.hub = HTTPServer(hub)
        self.hub.add_socket(socket)
        self.app = app.make_app(GROUPS)
        self.auth = self.app.settings["hub_auth"]
        self.auth.api_url = f"http://127.0.0.1:{port}/hub/api"
        socket, self.port = bind_unused_port()
        self.server = HTTPServer(self.app)
        self.server.add_socket(socket)

    def get(self, path: str, **headers: str) -> HTTPResponse:
        request = HTTPRequest(
            f"http://127.0.0.1:{self.port}{path}",
            headers={"Host": SITE, **{k.replace("_", "-"): v for k, v in headers.items()}},
            follow_redirects=False,
        )
        return self.loop.run_until_complete(self._fetch(request))

    async def _fetch(self, request: HTTPRequest) -> HTTPResponse:
        return await AsyncHTTPClient().fetch(request, raise_error=False)

    def check(self, **headers: str) -> HTTPResponse:
        return self.get("/gate/check", **headers)

    def close(self) -> None:
        self.hub.stop()
        self.server.stop()
        self.loop.run_until_complete(self.hub.close_all_connections())
        self.loop.run_until_complete(self.server.close_all_connections())
        self.loop.close()


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    (tmp_path / "gate-token").write_text("gates-own-token\n")
    (tmp_path / "gate-cookie").write_text(COOKIE_SECRET + "\n")
    (tmp_path / "gate-cookie-former").write_text(FORMER_SECRET + "\n")
    monkeypatch.setattr(config, "SECRETS", tmp_path)
    monkeypatch.setattr(StandInHub, "status", 0)
    monkeypatch.setattr(StandInHub, "asked", 0)
    gate = Gate()
    yield gate
    gate.close()


def cookie(
    token: str, secret: str = COOKIE_SECRET, name: str = app.COOKIE, **options: object
) -> str:
    options = {"key_version": config.key_number(secret), **options}
    signed = create_signed_value({options["key_version"]: secret}, name, token, **options)
    return f"{app.COOKIE}={signed.decode()}"


@pytest.mark.parametrize(
    ("token", "code", "user"),
    [
        ("ana-token", 200, "ana"),
        ("all-token", 200, "boss"),
        ("own-token", 403, None),
        ("other-token", 403, None),
        ("bare-token", 403, None),
        ("service-token", 403, None),
        ("unknown-token", 401, None),
    ],
)
@pytest.mark.parametrize("way", ["token {}", "Bearer {}", "Basic {}", *COOKIE_SECRETS])
def test_check(token: str, code: int, user: str | None, way: str, gate: Gate) -> None:
    given = base64.b64encode(f"whoever:{token}".encode()).decode() if "Basic" in way else token
    headers = {"Authorization": way.format(given)}
    if way in COOKIE_SECRETS:
        headers = {"Cookie": cookie(token, way)}
    answer = gate.check(**headers)
    assert answer.code == code
    assert answer.headers.get("X-Notehive-User") == user


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_Notehive_User": "boss"},
        {"Authorization": "Basic YW5hOg=="},  # no password
        {"Authorization": "Basic YW5hLXRva2Vu"},  # no colon
        {"Authorization": "Basic ana-token"},
        {"Authorization": "Basic /w=="},
        {"Authorization": "token "},
        {"Cookie": f"{app.COOKIE}=ana-token"},
        {"Cookie": cookie("ana-token", "another-secret")},
        {"Cookie": cookie("ana-token", "another-secret", key_version=OUR_NUMBER)},
        {"Cookie": f"{app.COOKIE}=1|a|b"},
        {"Cookie": f"{app.COOKIE}=" + create_signed_value(
            COOKIE_SECRET, app.COOKIE, "ana-token", version=1).decode()},
        {"Cookie": cookie("ana-token").replace("notehive-gate", "notehive-gate2")},
        # Signed by us, but for another purpose: the state of a log-in
        {"Cookie": cookie("ana-token", name="service-gate-oauth-state")},
        {"Cookie": cookie("ana-token", clock=lambda: time.time() - 40 * 24 * 3600)},
    ],
)  # fmt: skip
def test_nobody(headers: dict[str, str], gate: Gate) -> None:
    answer = gate.check(**headers)
    assert answer.code == 401
    assert "X-Notehive-User" not in answer.headers
    assert StandInHub.asked == 0


@pytest.mark.parametrize(
    ("token", "admin", "edits", "reads"),
    [
        ("ana-token", "", "everyone", "blue"),
        ("red-token", "", "everyone,red", "blue"),
        ("admin-token", "yes", "everyone", "blue"),
        ("all-token", "", "everyone", "blue"),  # who may list users need not be an administrator
    ],
)
def test_services_are_told_of_groups(
    token: str, admin: str, edits: str, reads: str, gate: Gate
) -> None:
    told = gate.check(Authorization=f"token {token}").headers
    assert told.get("X-Notehive-Admin", "") == admin
    assert (told["X-Notehive-Edits"], told["X-Notehive-Reads"]) == (edits, reads)


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("admin-token", 200),
        ("ana-token", 403),
        ("red-token", 403),
        ("all-token", 403),
        ("unknown", 401),
    ],
)
def test_a_page_for_administrators(token: str, code: int, gate: Gate) -> None:
    answer = gate.check(Authorization=f"token {token}", X_Only="administrators")
    assert answer.code == code
    assert ("X-Notehive-User" in answer.headers) == (code == 200)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 200),
        ({"Origin": f"http://{SITE}"}, 200),
        ({"Origin": "http://evil"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
    ],
)
def test_a_password_that_a_browser_remembers_is_like_a_cookie(
    headers: dict[str, str], code: int, gate: Gate
) -> None:
    given = base64.b64encode(b"x:ana-token").decode()
    answer = gate.check(Authorization=f"Basic {given}", X_Original_Method="POST", **headers)
    assert answer.code == code


def test_a_token_in_the_address_is_none(gate: Gate) -> None:
    """Addresses are logged and shared."""
    assert gate.get("/gate/check?token=ana-token").code == 401


@pytest.mark.parametrize("status", [500, 502, 503, 404, 429])
def test_an_ill_hub_lets_nobody_through(status: int, gate: Gate) -> None:
    StandInHub.status = status
    answer = gate.check(Authorization="token ana-token")
    assert answer.code >= 401
    assert "X-Notehive-User" not in answer.headers


def test_without_a_hub_nobody_gets_through(gate: Gate) -> None:
    gate.hub.stop()
    answer = gate.check(Authorization="token ana-token")
    assert answer.code >= 500
    assert "X-Notehive-User" not in answer.headers


def test_a_revoked_token_works_for_seconds_only(gate: Gate) -> None:
    assert gate.check(Authorization="token ana-token").code == 200
    assert gate.check(Authorization="token ana-token").code == 200
    assert StandInHub.asked == 1, "each request of a page would ask the hub"
    assert 0 < gate.auth.cache.max_age <= 10
    gate.auth.cache.max_age = 1e-9  # these seconds are over
    StandInHub.status = 403
    assert gate.check(Authorization="token ana-token").code != 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X_Original_Method": "POST", "Origin": f"http://{SITE}"}, 200),
        ({"X_Original_Method": "POST", "Sec_Fetch_Site": "same-origin"}, 200),
        ({"X_Original_Method": "POST", "Origin": "http://evil"}, 403),
        ({"X_Original_Method": "POST", "Sec_Fetch_Site": "cross-site"}, 403),
        ({"X_Original_Method": "DELETE"}, 403),
        ({"X_Original_Method": "GET", "X_Original_Upgrade": "websocket"}, 403),
        ({"X_Original_Method": "GET", "Origin": "http://evil"}, 200),
    ],
)
def test_a_cookie_is_not_the_word_of_its_owner(
    headers: dict[str, str], code: int, gate: Gate
) -> None:
    answer = gate.check(Cookie=cookie("ana-token"), **headers)
    assert answer.code == code
    assert ("X-Notehive-User" in answer.headers) is (code == 200)


def test_a_token_is(gate: Gate) -> None:
    """No browser adds it by itself, so it needs no Origin."""
    answer = gate.check(
        Authorization="token ana-token", X_Original_Method="POST", Origin="http://evil"
    )
    assert answer.code == 200


def test_a_name_cannot_break_out_of_its_header(gate: Gate) -> None:
    answer = gate.check(Cookie=cookie("odd-token"))
    assert answer.code == 500
    assert "X-Admin" not in answer.headers


def test_a_name_of_any_script(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(USERS, "odd-token", {"kind": "user", "name": "zoë日", "scopes": OPEN})
    answer = gate.check(Cookie=cookie("odd-token"))
    assert (answer.code, answer.headers["X-Notehive-User"]) == (200, r"zo\xeb\u65e5")


@pytest.mark.parametrize(
    ("asked", "goes_to"),
    [
        ("next=/mlflow/?a=1&b=//x", "/mlflow/?a=1&b=//x"),
        ("next=//evil", "/"),
        ("next=http://evil", "/"),
        ("", "/"),
    ],
)
def test_login(asked: str, goes_to: str, gate: Gate) -> None:
    answer = gate.get(f"/gate/login?{asked}")
    assert answer.code == 302
    target = urlsplit(answer.headers["Location"])
    query = {key: values[0] for key, values in parse_qs(target.query).items()}
    assert target.path == "/hub/api/oauth2/authorize"
    assert target.netloc == ""
    assert query["client_id"] == "service-gate"
    assert query["redirect_uri"].endswith("/gate/oauth_callback")
    assert query["code_challenge_method"] == "S256"
    assert gate.auth.get_next_url(query["state"]) == goes_to
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]


def test_a_log_in_that_this_browser_did_not_begin(gate: Gate) -> None:
    """Else one could be logged in, unnoticed, as somebody else."""
    state = parse_qs(urlsplit(gate.get("/gate/login").headers["Location"]).query)["state"][0]
    answer = gate.get(f"/gate/oauth_callback?code=x&state={state}")
    assert answer.code == 403
    assert app.COOKIE not in answer.headers.get("Set-Cookie", "")


def test_health(gate: Gate) -> None:
    assert gate.get("/gate/health").body == b"ok\n"
