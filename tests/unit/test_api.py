"""What programs of users ask of the platform: by real HTTP, as Nginx passes it on."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import typer
from aiohttp import web
from typer.testing import CliRunner

from notehive.api import sent
from notehive.api.app import make_app
from notehive.api.database import Database
from notehive.errors import NotehiveError
from notehive.git.repositories import Repositories
from notehive.models import client
from notehive.models.commands import repositories
from tests.support.listening import listening

KEY, TOKEN = "k" * 64, "t" * 64
GROUPS = ("everyone", "red", "blue", "green")
ZERO, ONE = "0" * 40, "1" * 40
PUSH = {
    "repository": "red/churn",
    "user": "ana",
    "updates": [{"ref": "refs/heads/main", "old": ZERO, "new": ONE}],
}


@dataclass
class Api:
    """An API that listens."""

    address: str
    repositories: Repositories

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        edits: str = "everyone,red",
        reads: str = "",
        admin: str = "",
        key: str = KEY,
    ) -> requests.Response:
        """Ask as a user of these groups."""
        headers = {
            "X-Notehive-Key": key,
            "X-Notehive-User": "ana",
            "X-Notehive-Edits": edits,
            "X-Notehive-Reads": reads,
            "X-Notehive-Admin": admin,
        }
        url = f"{self.address}/notehive-api{path}"
        return requests.request(method, url, headers=headers, json=body, timeout=60)

    def push(self, token: str = TOKEN, body: Any = PUSH) -> requests.Response:
        """Tell of a push, as git's hook does."""
        headers = {"Authorization": f"Bearer {token}"}
        return requests.post(f"{self.address}/pushes", json=body, headers=headers, timeout=60)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    repositories = Repositories(tmp_path)

    async def make() -> web.AppRunner:
        return web.AppRunner(
            make_app(
                repositories,
                key=KEY,
                push_token=TOKEN,
                builder=None,
                jenkins=None,
                database=Database("host=127.0.0.1 port=1 connect_timeout=5"),  # nothing listens
                publish=lambda *release: None,
                url="http://site",
                groups=GROUPS,
            )
        )

    with listening(make) as address:
        yield Api(address, repositories)


def test_a_model_is_made_and_listed(api: Api) -> None:
    answer = api.ask("POST", "/models", {"name": "churn"})
    told = {
        "group": "red",
        "name": "churn",
        "clone_url": "http://site/git/red/churn.git",
        "page": "http://site/git/red/churn.git/",
        "branch": "main",
        "commit": None,
    }
    assert (answer.status_code, answer.json()) == (201, told)
    assert api.ask("GET", "/models").json() == [told]
    assert api.ask("GET", "/models", reads="red", edits="").json() == [told]
    assert api.ask("GET", "/models", edits="blue").json() == []
    assert api.ask("GET", "/models", edits="", admin="yes").json() == [told]
    assert api.ask("GET", "/models/red/churn").json() == told
    for path, groups in (("red/churn", "blue"), ("red/gone", "red"), ("re%2Fd/churn", "red")):
        answer = api.ask("GET", f"/models/{path}", edits=groups)
        assert answer.status_code == 404
        assert "there is no such model, or it is not open to you" in answer.json()["message"]
    answer = api.ask("POST", "/models", {"name": "churn", "group": "red"})
    assert answer.status_code == 409
    assert answer.json() == {"message": "red/churn is there already; choose another name"}


@pytest.mark.parametrize(
    ("edits", "wish", "admin", "group"),
    [
        ("everyone", "", "", "everyone"),
        ("everyone,red", "", "", "red"),
        ("everyone,red", "everyone", "", "everyone"),
        ("everyone,red,blue", "blue", "", "blue"),
        ("everyone", "green", "yes", "green"),
    ],
)
def test_whose_it_is(api: Api, edits: str, wish: str, admin: str, group: str) -> None:
    body = {"name": "churn", **({"group": wish} if wish else {})}
    answer = api.ask("POST", "/models", body, edits=edits, admin=admin)
    assert (answer.status_code, answer.json()["group"]) == (201, group)


@pytest.mark.parametrize(
    ("body", "edits", "status", "message"),
    [
        ({"name": "churn"}, "everyone,red,blue", 400, "group: you are in blue, red; say which"),
        ({"name": "churn", "group": "blue"}, "everyone,red", 403, "yours are: everyone, red"),
        ({"name": "churn", "group": "grey"}, "red", 403, "group: 'grey' is none of yours"),
        ({"name": "churn", "group": "../x"}, "red", 403, "is none of yours"),
        ({"name": "churn"}, "", 403, "yours are: none"),
        *(
            ({"name": name}, "red", 400, "use 2 to 40 lower-case letters")
            for name in ("", "x", "Churn", "a_b", "-a", "a-", "a/b", "..", "a b", "é1", "x" * 41)
        ),
        ({}, "red", 400, "name: Field required"),
        ({"name": 1}, "red", 400, "name: Input should be a valid string"),
        ({"name": "churn", "owner": "x"}, "red", 400, "owner: Extra inputs"),
        ([], "red", 400, "Input should be an object"),
    ],
)
def test_what_is_refused(api: Api, body: Any, edits: str, status: int, message: str) -> None:
    answer = api.ask("POST", "/models", body, edits=edits)
    assert answer.status_code == status
    assert set(answer.json()) == {"message"}
    assert message in answer.json()["message"]
    assert "\n" not in answer.json()["message"]
    assert list(api.repositories.seen_by(lambda group: True)) == []


def test_a_group_that_keeps_nothing_has_no_models(api: Api) -> None:
    """An administrator may name any group, but there is none of this name."""
    answer = api.ask("POST", "/models", {"name": "churn", "group": "closed"}, admin="yes")
    assert answer.status_code == 403


def test_json_alone(api: Api) -> None:
    """A form is what a page of another site could send."""
    headers = {"X-Notehive-Key": KEY, "X-Notehive-User": "ana", "X-Notehive-Edits": "red"}
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = requests.post(
            f"{api.address}/notehive-api/models",
            data=b'{"name": "churn"}',
            headers={**headers, "Content-Type": kind},
            timeout=60,
        )
        assert answer.status_code == 415, kind
    assert api.ask("GET", "/models").json() == []


def test_nobody_but_nginx_asks(api: Api) -> None:
    for path in ("/models", "/models/red/churn", "/models/red/churn/pushes"):
        assert api.ask("GET", path, key="x").status_code == 403
    assert api.ask("GET", "/nothing").json() == {"message": "Not Found"}


def test_pushes(api: Api) -> None:
    api.ask("POST", "/models", {"name": "churn"})
    assert api.ask("GET", "/models/red/churn/pushes").json() == []
    answer = api.push()
    assert (answer.status_code, answer.text) == (200, "http://site/git/red/churn.git/\n")
    api.push(body={**PUSH, "user": "bea"})
    last, first = api.ask("GET", "/models/red/churn/pushes").json()
    assert (last["user"], first["user"]) == ("bea", "ana")
    assert first["updates"] == PUSH["updates"]
    assert first["time"] <= last["time"]
    assert api.ask("GET", "/models/red/churn/pushes", edits="blue").status_code == 404


@pytest.mark.parametrize(
    ("token", "body", "status"),
    [
        ("x", PUSH, 401),
        (KEY, PUSH, 401),
        (TOKEN, {**PUSH, "repository": "red/gone"}, 404),
        (TOKEN, {**PUSH, "repository": "../red/churn"}, 404),
        (TOKEN, {**PUSH, "updates": [{"ref": "x"}]}, 400),
    ],
)
def test_pushes_that_are_none(api: Api, token: str, body: Any, status: int) -> None:
    api.ask("POST", "/models", {"name": "churn"})
    assert api.push(token, body).status_code == status
    assert api.ask("GET", "/models/red/churn/pushes").json() == []


# Tables, as far as it needs no database; tests/images/test_publish_table.py has one

TABLE = {"run": "r", "columns": [{"name": "a", "type": "bigint"}]}


def write(api: Api, first: bytes, *, edits: str = "red", **headers: str) -> requests.Response:
    """Send rows, in pieces, to the table of red/churn."""
    given = {
        "X-Notehive-Key": KEY,
        "X-Notehive-User": "ana",
        "X-Notehive-Edits": edits,
        "Content-Type": "text/csv",
    }
    return requests.put(
        f"{api.address}/notehive-api/models/red/churn/table/rows",
        data=iter([first, *[b"1\n" * 100_000] * 10]),
        headers={**given, **headers},
        timeout=60,
    )


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (b"x", "Invalid JSON"),
        (b"x" * 300_000, "the first line does not end"),
        ({**TABLE, "run": ""}, "run: String should have at least 1"),
        (
            {**TABLE, "interval_start": "2026-01-01T00:00:00"},
            "interval_start: Input should have ti",
        ),
        ({**TABLE, "sql": "x"}, "sql: Extra inputs"),
        ({**TABLE, "columns": []}, "columns: List should have at least 1"),
        *(
            ({**TABLE, "columns": [{"name": "a", "type": "text"}, column]}, said)
            for column, said in (
                ({"name": "a", "type": "text"}, "columns: a: is there twice"),
                ({"name": "b", "type": "text; DROP TABLE x"}, "columns.1.type: Input should be"),
                ({"name": "run", "type": "text"}, "columns.1.name: a column cannot be called run"),
                ({"name": "interval_start", "type": "text"}, "cannot be called interval_start"),
                ({"name": "", "type": "text"}, "a name has 1 to 63 bytes"),
                ({"name": "é" * 32, "type": "text"}, "a name has 1 to 63 bytes"),
                ({"name": "a\nb", "type": "text"}, "a name has 1 to 63 bytes, all printable"),
                ({"name": "b\0", "type": "text"}, "a name has 1 to 63 bytes, all printable"),
            )
        ),
    ],
)
def test_what_no_table_is_made_of(api: Api, told: Any, said: str) -> None:
    api.ask("POST", "/models", {"name": "churn"})
    line = told if isinstance(told, bytes) else json.dumps(told).encode()
    answer = write(api, line + b"\n")
    assert answer.status_code == 400
    assert said in answer.json()["message"]


def test_who_writes_a_table(api: Api) -> None:
    api.ask("POST", "/models", {"name": "churn"})
    line = json.dumps(TABLE).encode() + b"\n"
    reads = {"X-Notehive-Reads": "red"}
    assert write(api, line, edits="blue").status_code == 404
    answer = write(api, line, edits="blue", **reads)
    assert (answer.status_code, answer.json()["message"]) == (
        403,
        "red: you cannot change what is its",
    )
    assert write(api, line, **{"Content-Type": "application/json"}).status_code == 415
    assert write(api, line, **{"Content-Type": "text/plain"}).status_code == 415
    answer = write(api, line)
    assert answer.status_code == 503, "there is no database"
    assert answer.json()["message"].startswith("table red.churn: not now: ")


def test_rows_have_an_end(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(self: Database, place: Any, told: Any, rows: AsyncIterator[bytes]) -> int:
        return sum([len(piece) async for piece in rows])  # a stand-in: it only counts

    monkeypatch.setattr(Database, "write", read)
    api.ask("POST", "/models", {"name": "churn"})
    line = json.dumps(TABLE).encode() + b"\n"
    assert write(api, line).json() == {"table": "red.churn", "rows": 2_000_000}
    monkeypatch.setattr(sent, "MOST_BYTES", 1_500_000)
    answer = write(api, line)
    assert answer.status_code == 413
    assert answer.json()["message"].startswith("more than 1 MiB; leave out columns")


def test_json_has_an_end(api: Api) -> None:
    assert api.ask("POST", "/models", {"name": "x" * 2**21}).status_code == 413


# The client


def test_the_client_says_what_the_api_says(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotehiveError, match="NOTEHIVE_URL is not set; run this in a server"):
        client.ask("GET", "/models")
    monkeypatch.setenv("NOTEHIVE_URL", api.address)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "t")
    with pytest.raises(NotehiveError, match="only Nginx asks here"):
        client.ask("POST", "/models", {"name": "churn"})
    monkeypatch.setenv("NOTEHIVE_URL", "http://127.0.0.1:1")
    with pytest.raises(NotehiveError, match=r"no answer .*; try again"):
        client.ask("GET", "/models")


# The verbs


@pytest.fixture
def verbs(api: Api, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """The command line, before an API that is asked without Nginx: it lacks its word."""

    def ask(method: str, path: str, body: Any = None) -> Any:
        answer = api.ask(method, path, body)
        if not answer.ok:
            raise NotehiveError(answer.json()["message"])
        made = answer.json()
        if method == "POST":  # what the site's address leads to, here is a directory
            made["clone_url"] = str(api.repositories.path(made["group"], made["name"]))
        return made

    monkeypatch.setattr(repositories, "ask", ask)
    app = typer.Typer()
    app.command("new")(repositories.new)
    app.command("list")(repositories.list_models)
    return app


def test_new_and_list(verbs: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = CliRunner().invoke
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    done = run(verbs, ["new", "churn"])
    assert done.exit_code == 0, done.output
    assert "red/churn: http://site/git/red/churn.git/" in done.output
    assert "Next: cd churn" in done.output
    assert (home / "churn/.git/HEAD").read_text().strip() == "ref: refs/heads/main"
    assert run(verbs, ["list"]).output == "red/churn  (empty)\n"
    [told] = json.loads(run(verbs, ["list", "--json"]).output)
    assert (told["group"], told["name"]) == ("red", "churn")
    assert "churn: is here already" in str(run(verbs, ["new", "churn"]).exception)
    (home / "churn").rename(home / "other")
    said = str(run(verbs, ["new", "churn"]).exception)
    assert said == "red/churn is there already; choose another name"
    assert not (home / "churn").exists()
