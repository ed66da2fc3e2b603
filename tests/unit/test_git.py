"""What can be asked of the repositories, and a real git that asks it without Docker."""

import gzip
import os
import stat
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web

from notehive.gate.asker import Asker, asker
from notehive.git import cgi, hook, pages
from notehive.git.app import Door
from notehive.git.housekeeping import Housekeeping
from notehive.git.paths import Kind, read
from notehive.git.repositories import Repositories, last_commit
from tests.support.listening import listening

Take = Callable[[web.Request], Awaitable[web.StreamResponse]]

ROOT = Path(__file__).resolve().parents[2]
KEY = "k" * 64
MIB = 2**20
TOLD = {"X-Notehive-Key": KEY, "X-Notehive-User": "ana", "X-Notehive-Edits": "red"}
READER = {**TOLD, "X-Notehive-User": "rita", "X-Notehive-Edits": "", "X-Notehive-Reads": "red"}
STRANGER = {**TOLD, "X-Notehive-User": "sam", "X-Notehive-Edits": "blue"}
BOSS = {**STRANGER, "X-Notehive-Admin": "yes"}

# Who asks


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in headers.items()}


def test_who_asks() -> None:
    ana = asker(lower({**TOLD, "X-Notehive-Reads": "blue,green"}), KEY)
    assert ana == Asker("ana", False, frozenset({"red"}), frozenset({"blue", "green"}))
    assert [ana.changes(group) for group in ("red", "blue", "grey")] == [True, False, False]
    assert [ana.sees(group) for group in ("red", "blue", "grey")] == [True, True, False]
    boss = asker(lower(BOSS), KEY)
    assert boss and boss.changes("red") and boss.sees("grey")


@pytest.mark.parametrize("change", ["X-Notehive-Key", "X-Notehive-User"])
@pytest.mark.parametrize("value", ["", "k", "ü" * 64])
def test_nobody(change: str, value: str) -> None:
    told = lower({**TOLD, change: value})
    assert (asker(told, KEY) is None) is (change.endswith("Key") or not value)


# Paths


@pytest.mark.parametrize(
    ("method", "target", "kind"),
    [
        ("GET", "/", Kind.LIST),
        ("GET", "/?ofs=50&s=idle", Kind.LIST),
        ("GET", "/cgit.css", Kind.STYLE),
        ("GET", "/red/churn.git", Kind.PAGE),
        ("HEAD", "/red/churn.git/", Kind.PAGE),
        ("GET", "/red/churn.git/log/?h=main&q=a+b&qt=grep", Kind.PAGE),
        ("GET", "/red/churn.git/tree/a%20b/%C3%A9.ipynb", Kind.PAGE),
        ("GET", "/red/churn.git/plain/page.html", Kind.RAW),
        ("GET", "/red/churn.git/info/refs?service=git-upload-pack", Kind.FETCH),
        ("GET", "/red/churn.git/info/refs?service=git-receive-pack", Kind.PUSH),
        ("POST", "/red/churn.git/git-upload-pack", Kind.FETCH),
        ("POST", "/red/churn.git/git-receive-pack", Kind.PUSH),
    ],
)
def test_what_can_be_asked(method: str, target: str, kind: Kind) -> None:
    wish = read(method, target)
    assert wish and wish.kind is kind
    assert not wish.group or (wish.group, wish.name) == ("red", "churn")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        # The files of a repository, as the dumb protocol has them
        ("GET", "/red/churn.git/HEAD"),
        ("GET", "/red/churn.git/config"),
        ("GET", "/red/churn.git/info/refs"),
        ("GET", "/red/churn.git/info/refs?service=git-upload-archive"),
        ("GET", "/red/churn.git/info/refs?service=git-upload-pack&service=git-receive-pack"),
        ("GET", "/red/churn.git/info/refs?x=1&service=git-upload-pack"),
        ("GET", "/red/churn.git/objects/info/packs"),
        ("GET", "/red/churn.git/notehive-pushes.jsonl"),
        ("POST", "/red/churn.git/git-upload-archive"),
        ("POST", "/red/churn.git/git-receive-pack?x=1"),
        ("POST", "/red/churn.git/info/refs?service=git-receive-pack"),
        ("PUT", "/red/churn.git/git-receive-pack"),
        # Other methods, and cgit's ways to another page than the path's
        ("POST", "/red/churn.git/log/"),
        ("DELETE", "/"),
        ("GET", "/red/churn.git/log/?url=blue/secret.git"),
        ("GET", "/?r=blue/secret.git"),
        ("GET", "/?%72=blue/secret.git"),
        ("GET", "/red/churn.git/log/?p=plain"),
        ("GET", "/red/churn.git/snapshot/churn.tar.gz"),
        # Spellings
        ("GET", "/red/../blue/churn.git/"),
        ("GET", "/red/churn.git/../../blue/secret.git/"),
        ("GET", "/red/churn.git/%2e%2e/"),
        ("GET", "/red/churn.git/tree/./a"),
        ("GET", "/red%2fchurn.git/"),
        ("GET", "/red/churn.git/tree/a%2Fb"),
        ("GET", "/red/churn.git/tree/a%5cb"),
        ("GET", "/red/churn.git/tree/a\\b"),
        ("GET", "/red/churn.git/tree/a%00"),
        ("GET", "/red/churn.git/tree/a%0a"),
        ("GET", "/red/churn.git/tree/%ff"),
        ("GET", "/red/churn.git/tree//etc/passwd"),
        ("GET", "//red/churn.git/"),
        ("GET", "/%72ed/churn.git/"),
        ("GET", "/Red/churn.git/"),
        ("GET", "/red/churn.GIT/"),
        ("GET", "/red/churn/"),
        ("GET", "/red/.new-abc.git/"),
        ("GET", "/red/-x.git/"),
        ("GET", "/red/x.git/"),
        ("GET", f"/red/{'x' * 41}.git/"),
        ("GET", f"/{'r' * 25}/churn.git/"),
        ("GET", "/red/"),
        ("GET", ""),
        ("GET", "red/churn.git/"),
        ("GET", "http://git/red/churn.git/"),
    ],
)
def test_all_else_is_nothing(method: str, target: str) -> None:
    assert read(method, target) is None


# Repositories


@pytest.fixture
def repositories(tmp_path: Path) -> Repositories:
    (tmp_path / "srv").mkdir()
    return Repositories(tmp_path / "srv")


def test_repositories(repositories: Repositories) -> None:
    for group, name in (("red", "churn"), ("red", "a1"), ("blue", "secret")):
        made = repositories.make(group, name)
        assert made.path == repositories.root / group / f"{name}.git"
        assert (made.path / "HEAD").read_text().strip() == "ref: refs/heads/main"
        assert last_commit(made) is None
    with pytest.raises(FileExistsError, match="red/churn is there already"):
        repositories.make("red", "churn")
    assert [path.name for path in repositories.root.iterdir() if "new" in path.name] == []
    assert repositories.find("red", "gone") is None
    seen = [(each.group, each.name) for each in repositories.seen_by(lambda group: True)]
    assert seen == [("blue", "secret"), ("red", "a1"), ("red", "churn")]
    assert [each.name for each in repositories.seen_by({"blue"}.__contains__)] == ["secret"]


@pytest.mark.parametrize(
    ("group", "name"), [("..", "churn"), ("red", "../x"), ("", "churn"), ("red", ""), ("red", "X1")]
)
def test_impossible_names(repositories: Repositories, group: str, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a group's repository"):
        repositories.make(group, name)
    assert list(repositories.root.iterdir()) == []


def test_cgit_is_told_of_what_is_shown_alone(repositories: Repositories) -> None:
    for group, name in (("red", "churn"), ("red", "risk"), ("blue", "secret")):
        repositories.make(group, name)
    shown = repositories.seen_by({"red"}.__contains__)
    text = pages.configuration(shown, "http://site/git").decode()
    assert text == (
        "include=/opt/notehive/git/cgitrc\n"
        "section=red\n"
        "repo.url=red/churn.git\n"
        "repo.name=churn\n"
        f"repo.path={repositories.root}/red/churn.git\n"
        "repo.clone-url=http://site/git/red/churn.git\n"
        "repo.url=red/risk.git\n"
        "repo.name=risk\n"
        f"repo.path={repositories.root}/red/risk.git\n"
        "repo.clone-url=http://site/git/red/risk.git\n"
    )


# A real git, and what it is told


@dataclass
class Served:
    """Repositories that are served, and a home for clones of them."""

    address: str
    repositories: Repositories
    home: Path

    def git(self, *args: str, told: Mapping[str, str], at: str = "") -> tuple[int, str]:
        """Run git as somebody; give its exit code and all that it says."""
        headers = [each for k, v in told.items() for each in ("-c", f"http.extraHeader={k}: {v}")]
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "GIT_TERMINAL_PROMPT": "0",
            **{f"GIT_{who}_{what}": "ana" for who in ("AUTHOR", "COMMITTER")
               for what in ("NAME", "EMAIL")},
        }  # fmt: skip
        done = subprocess.run(
            ["git", *headers, *args],
            cwd=self.home / at,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def clone(self, told: Mapping[str, str] = TOLD) -> None:
        """Clone red/churn into the home."""
        code, said = self.git("clone", f"{self.address}/red/churn.git", told=told)
        assert code == 0, said

    def commit(self, name: str, content: bytes) -> None:
        """Commit a file in the clone."""
        (self.home / "churn" / name).write_bytes(content)
        for args in (("add", name), ("commit", "-qm", f"Add {name}")):
            code, said = self.git(*args, told={}, at="churn")
            assert code == 0, said

    def push(self, *args: str, told: Mapping[str, str] = TOLD) -> tuple[int, str]:
        """Push the clone's main."""
        return self.git("push", *(args or ("origin", "HEAD:main")), told=told, at="churn")


@pytest.fixture
def served(
    repositories: Repositories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    # The hooks of the image, which are told by a configuration that the image has elsewhere.
    config = tmp_path / "gitconfig"
    config.write_text((ROOT / "git/gitconfig").read_text().replace("/opt/notehive", str(ROOT)))
    variables = {"GIT_CONFIG_SYSTEM": str(config), "PATH": os.environ["PATH"]}
    plain = cgi.variables
    monkeypatch.setattr(cgi, "variables", lambda *a, **k: {**plain(*a, **k), **variables})
    repositories.make("red", "churn")
    home = tmp_path / "home"
    home.mkdir()

    async def make() -> web.ServerRunner:
        door = Door(repositories, KEY, "http://site", Housekeeping(), 4 * MIB)
        return web.ServerRunner(web.Server(door, auto_decompress=False))

    with listening(make) as address:
        yield Served(address, repositories, home)


def test_members_push_and_readers_fetch(served: Served) -> None:
    served.clone()
    served.commit("a.txt", b"a")
    code, said = served.push()
    assert code == 0, said
    assert "did not hear of them" in said, "there is no api here; the push is kept all the same"
    found = served.repositories.find("red", "churn")
    assert found
    commit = last_commit(found)
    assert commit and (commit.author, commit.subject) == ("ana", "Add a.txt")

    (served.home / "churn").rename(served.home / "anas")
    served.clone(READER)
    served.commit("b.txt", b"b")
    code, said = served.push(told=READER)
    assert code != 0 and "red/churn: you may fetch it; its group's members push" in said
    code, said = served.push(told=BOSS)
    assert code == 0, said


@pytest.mark.parametrize("told", [STRANGER, {**TOLD, "X-Notehive-Key": "x"}, {}])
def test_others_learn_nothing(served: Served, told: dict[str, str]) -> None:
    answers = set()
    for name in ("churn", "nowhere"):
        code, said = served.git("ls-remote", f"{served.address}/red/{name}.git", told=told)
        assert code != 0
        answers.add(said.replace(name, "NAME"))
    assert len(answers) == 1, answers


def test_main_only_grows(served: Served) -> None:
    served.clone()
    served.commit("a.txt", b"a")
    served.commit("b.txt", b"b")
    assert served.push()[0] == 0
    assert served.push("origin", "HEAD:refs/heads/side")[0] == 0
    code, said = served.push("--force", "origin", "HEAD~1:refs/heads/main")
    assert code != 0 and "main: cannot be rewritten" in said
    code, said = served.push("origin", ":main")
    assert code != 0 and "refusing to delete the current branch" in said
    assert served.push("--force", "origin", "HEAD~1:refs/heads/side")[0] == 0
    assert served.push("origin", ":side")[0] == 0


def test_a_push_in_chunks_and_one_that_is_too_large(served: Served) -> None:
    served.clone()
    served.commit("large.bin", os.urandom(3 * MIB))  # more than git sends in one piece
    code, said = served.push()
    assert code == 0, said
    served.commit("larger.bin", os.urandom(5 * MIB))
    code, said = served.push()
    assert code != 0 and "maximum allowed size" in said


def test_broken_objects_are_refused(served: Served) -> None:
    """What git itself would not make: a commit of a tree with a file called `.git`."""
    served.clone()
    served.commit("a.txt", b"a")
    clone = served.home / "churn"
    blob = subprocess.run(
        ["git", "rev-parse", "HEAD:a.txt"], cwd=clone, capture_output=True, text=True, check=True
    ).stdout.strip()
    tree = b"100644 .git\0" + bytes.fromhex(blob)
    made = subprocess.run(
        ["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"],
        input=tree,
        cwd=clone,
        capture_output=True,
        check=True,
    ).stdout.decode()
    commit = served.git("commit-tree", made.strip(), "-m", "bad", told={}, at="churn")[1].strip()
    code, said = served.push("origin", f"{commit}:refs/heads/main")
    assert code != 0 and "fsck" in said, said


def test_bodies_may_be_compressed(served: Served) -> None:
    """As git sends a long list of what it has."""
    body = gzip.compress(b"0000")
    answer = requests.post(
        f"{served.address}/red/churn.git/git-receive-pack",
        data=body,
        headers={
            **TOLD,
            "Content-Type": "application/x-git-receive-pack-request",
            "Content-Encoding": "gzip",
        },
        timeout=60,
    )
    assert answer.status_code == 200


def test_a_body_of_another_kind_is_none(served: Served) -> None:
    answer = requests.post(
        f"{served.address}/red/churn.git/git-receive-pack", data=b"0000", headers=TOLD, timeout=60
    )
    assert answer.status_code == 415


def test_nobody_brings_hooks(served: Served) -> None:
    mark = served.home / "mark"
    own = served.repositories.root / "red/churn.git/hooks/post-receive"
    own.parent.mkdir(exist_ok=True)
    own.write_text(f"#!/bin/sh\ntouch {mark}\n")
    own.chmod(own.stat().st_mode | stat.S_IXUSR)
    served.clone()
    served.commit("a.txt", b"a")
    assert served.push()[0] == 0
    assert not mark.exists()


# The hook


def api(take: Take) -> Callable[[], Awaitable[web.AppRunner]]:
    """Give what makes a server in place of the service `api`: it takes pushes this way."""

    async def make() -> web.AppRunner:
        app = web.Application()
        app.add_routes([web.post("/pushes", take)])
        return web.AppRunner(app)

    return make


def told(monkeypatch: pytest.MonkeyPatch, directory: Path) -> Path:
    """Tell the hook what git tells it; give the file of its token."""
    token = directory / "token"
    token.write_text("t0ken\n")
    monkeypatch.setenv("NOTEHIVE_REPOSITORY", "red/churn")
    monkeypatch.setenv("REMOTE_USER", "ana")
    return token


def test_the_hook_says_that_the_api_ended_in_the_middle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def take(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"check ...\n")
        assert request.transport
        request.transport.close()
        return response

    token = told(monkeypatch, tmp_path)
    monkeypatch.setattr("sys.stdin", [])
    with listening(api(take)) as address:
        hook.main(("127.0.0.1", int(address.rpartition(":")[2])), token)
    first, last = capsys.readouterr().out.splitlines()
    assert first == "check ..."
    assert "it goes on when it is back, and `notehive model status` says how far it is" in last


def test_the_hook_tells_and_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        heard.append((request.path, request.headers["Authorization"], await request.json()))
        return web.Response(text="building\nbuilt\n")

    token = told(monkeypatch, tmp_path)
    old, new = "0" * 40, "a" * 40
    monkeypatch.setattr("sys.stdin", [f"{old} {new} refs/heads/main\n"])
    with listening(api(take)) as address:
        hook.main(("127.0.0.1", int(address.rpartition(":")[2])), token)
    assert capsys.readouterr().out == "building\nbuilt\n"
    update = {"old": old, "new": new, "ref": "refs/heads/main"}
    push = {"repository": "red/churn", "user": "ana", "updates": [update]}
    assert heard == [("/pushes", "Bearer t0ken", push)]
    hook.main(("127.0.0.1", int(address.rpartition(":")[2])), token)
    assert "your commits are kept" in capsys.readouterr().out
