"""The keeper of the storage: a real one, on a directory of its own."""

import asyncio
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import requests
from aiohttp import ClientSession
from tornado.httpserver import HTTPServer

from notehive.hub import keeper
from notehive.jobs.runs import Runs as RunsClient
from notehive.jobs.runs import RunsError
from notehive.jobs.service import Begun
from notehive.storage import usage as measuring
from notehive.storage.api import Tokens, make_app
from notehive.storage.directories import Directories
from notehive.storage.runs import Runs
from notehive.storage.usage import Usage, disk_usage

TOKEN = "s3cret" * 5
RUNS_TOKEN = "runs" * 5
USAGE_TOKEN = "usage" * 5
RUN = "runs/risk/churn/train-0123456789"
HOME = "homes/ana-0123456789"


class Keeper:
    """A keeper that listens."""

    def __init__(self, root: Path, port: int) -> None:
        self.root, self.base = root, f"http://127.0.0.1:{port}"

    def ask(self, method: str, path: str, token: str = TOKEN) -> requests.Response:
        # Prepared, so that the path is sent as it is written.
        request = requests.Request(method, self.base, headers={"Authorization": f"Bearer {token}"})
        prepared = request.prepare()
        prepared.url = self.base + path
        with requests.Session() as session:
            session.trust_env = False
            return session.send(prepared, timeout=30)

    def mode(self, path: str) -> int:
        return (self.root / path).stat().st_mode & 0o7777

    def everything(self) -> list[str]:
        """Every path below the root and beside it."""
        return sorted(str(path) for path in self.root.parent.rglob("*"))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Keeper]:
    root = tmp_path / "root"
    root.mkdir()
    directories = Directories(root)
    loop = asyncio.new_event_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)

        async def serve() -> None:
            tokens = Tokens(TOKEN, RUNS_TOKEN, USAGE_TOKEN)
            app = make_app(directories, Usage(directories), Runs(root), tokens)
            HTTPServer(app).add_sockets([listening])

        loop.run_until_complete(serve())
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        yield Keeper(root, listening.getsockname()[1])
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def test_a_home_is_made_once(kept: Keeper) -> None:
    assert kept.ask("PUT", f"/{HOME}").status_code == 201
    assert kept.mode(HOME) == 0o700
    (kept.root / HOME / "mine").write_text("mine")
    assert kept.ask("PUT", f"/{HOME}").status_code == 200
    assert (kept.root / HOME / "mine").read_text() == "mine"


def test_what_its_owner_has_locked_is_opened(kept: Keeper) -> None:
    """One member could otherwise close a shared folder to all the others."""
    for path, mode in ((HOME, 0o700), ("shared/risk", 0o2770)):
        kept.ask("PUT", f"/{path}")
        (kept.root / path).chmod(0)
        assert kept.ask("PUT", f"/{path}").status_code == 200
        assert kept.mode(path) == mode


def test_files_in_a_shared_folder_have_its_group(kept: Keeper) -> None:
    kept.ask("PUT", "/shared/risk")
    folder = kept.root / "shared/risk"
    if os.getuid() == 0:
        os.chown(folder, 1000, 100)
        folder.chmod(0o2770)
    (folder / "report.txt").write_text("")
    assert (folder / "report.txt").stat().st_gid == folder.stat().st_gid


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], "ä"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", f"/{HOME}"), ("GET", f"/{HOME}"), ("POST", f"/{HOME}/measure"), ("GET", "/usage")],
)
def test_nothing_without_the_token(kept: Keeper, method: str, path: str, token: str) -> None:
    before = kept.everything()
    token = token.encode().decode("latin-1")
    assert kept.ask(method, path, token).status_code == 401
    assert kept.everything() == before


@pytest.mark.parametrize(
    "path",
    [
        "/homes/..",
        "/homes/../evil",
        "/homes/%2e%2e",
        "/homes/%2e%2e%2fevil",
        "/homes/..%2f..%2fevil",
        "/homes/a%00b",
        "/homes/.hidden",
        "/homes/-rf",
        "/homes/ANA",
        "/homes/a%2fb",
        "/homes/a%0a",
        "/homes/",
        "/homes/" + "a" * 64,
        "/other/ana",
        "//etc/ana",
    ],
)
def test_nothing_elsewhere_can_be_named(kept: Keeper, path: str) -> None:
    before = kept.everything()
    for method, what in (("PUT", path), ("GET", path), ("POST", f"{path}/measure")):
        assert kept.ask(method, what).status_code in (400, 404), what
    assert kept.everything() == before


def test_what_is_in_the_way_is_said(kept: Keeper) -> None:
    (kept.root / "homes/file").write_text("")
    answer = kept.ask("PUT", "/homes/file")
    assert answer.status_code == 507
    assert "File exists" in answer.json()["message"]


def test_measuring(kept: Keeper) -> None:
    kept.ask("PUT", f"/{HOME}")
    assert kept.ask("GET", f"/{HOME}").json() == {"used": 0}
    (kept.root / HOME / "big").write_bytes(os.urandom(3 * 2**20))
    os.link(kept.root / HOME / "big", kept.root / HOME / "the same")
    (kept.root / HOME / "elsewhere").symlink_to("/usr")
    used = kept.ask("POST", f"/{HOME}/measure").json()["used"]
    assert 3 * 2**20 <= used < 4 * 2**20
    assert kept.ask("GET", f"/{HOME}").json() == {"used": used}
    everything = kept.ask("GET", "/usage").json()
    assert everything["homes"] == {"ana-0123456789": used}
    assert everything["shared"] == {}
    assert 0 < everything["free"] < everything["total"]


def test_measuring_what_is_not_there(kept: Keeper) -> None:
    assert kept.ask("POST", f"/{HOME}/measure").status_code == 404


def test_all_are_measured_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "INTERVAL", 0.01)
    directories = Directories(tmp_path)
    for kind, name in (("homes", "a"), ("homes", "b"), ("shared", "c")):
        directories.make(kind, name)
    (tmp_path / "homes/not a home").mkdir()
    usage = Usage(directories)
    usage.used["homes", "gone"] = 5

    async def until_all() -> None:
        background = asyncio.create_task(usage.measure_all_the_time())
        while set(usage.used) != {("homes", "a"), ("homes", "b"), ("shared", "c")}:
            assert not background.done(), background.exception()
            await asyncio.sleep(0.01)
        background.cancel()

    asyncio.run(asyncio.wait_for(until_all(), 60))


def test_a_measurement_is_joined_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directories = Directories(tmp_path)
    directories.make("homes", "a")
    calls = []

    async def once(path: Path) -> int:
        calls.append(path)
        return await disk_usage(path)

    monkeypatch.setattr(measuring, "disk_usage", once)

    async def both() -> list[int]:
        usage = Usage(directories)
        return await asyncio.gather(*(usage.measure("homes", "a") for _ in range(5)))

    assert len(set(asyncio.run(both()))) == 1
    assert len(calls) == 1


def test_the_hubs_client(kept: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "storage-token").write_text(TOKEN + "\n")
    monkeypatch.setattr("notehive.hub.config.SECRETS", tmp_path)
    monkeypatch.setattr(keeper, "URL", kept.base)

    async def use() -> tuple[int, int]:
        await keeper.make(HOME)
        return await keeper.used(HOME), await keeper.measure(HOME)

    before, after = asyncio.run(use())
    assert before == 0 < after
    with pytest.raises(keeper.KeeperError, match="does not do its part"):
        asyncio.run(keeper.make("homes/.."))
    monkeypatch.setattr(keeper, "URL", "http://127.0.0.1:1")
    monkeypatch.setattr(keeper, "ATTEMPTS", 2)
    with pytest.raises(keeper.KeeperError, match="Try again in a minute"):
        asyncio.run(keeper.make(HOME))


# The directories of runs


def with_client(kept: Keeper, work: Callable[[RunsClient], Awaitable[None]]) -> None:
    async def use() -> None:
        async with ClientSession() as session:
            await work(RunsClient(session, RUNS_TOKEN, kept.base))

    asyncio.run(use())


def test_a_run_goes_on_as_it_began(kept: Keeper) -> None:
    """A push in the middle of it changes nothing of it; another run begins with what is new."""

    async def work(runs: RunsClient) -> None:
        old, new = Begun("old", "c0ffee"), Begun("new", "decade")
        assert await runs.begin(RUN, old) == old
        assert await runs.begin(RUN, new) == old
        assert await runs.begin(f"{RUN}0", new) == new

    with_client(kept, work)
    assert kept.mode(RUN) == 0o700
    assert [kept.mode(path) for path in ("runs", "runs/risk", "runs/risk/churn")] == [0o711] * 3
    assert not list((kept.root / RUN).iterdir()), "no step could change what it began with"


def test_what_a_step_told(kept: Keeper) -> None:
    async def work(runs: RunsClient) -> None:
        await runs.begin(RUN, Begun("image", "c0ffee"))
        assert await runs.told(RUN, "drift") == {}
        told = kept.root / RUN / ".notehive"
        told.mkdir()
        (told / "drift.json").write_text('{"drifted": true}')
        assert await runs.told(RUN, "drift") == {"drifted": True}
        for nonsense in ("{", "[]", '"text"', "\0"):
            (told / "drift.json").write_text(nonsense)
            assert await runs.told(RUN, "drift") == {}

    with_client(kept, work)


def test_no_link_leads_to_somebody_elses_files(kept: Keeper) -> None:
    """A step runs as the user of the keeper, and may make any link in its run's directory."""
    theirs = kept.root / "homes" / "private"
    theirs.mkdir()
    (theirs / "drift.json").write_text('{"secret": "theirs"}')

    async def work(runs: RunsClient) -> None:
        await runs.begin(RUN, Begun("image", "c0ffee"))
        told = kept.root / RUN / ".notehive"
        told.symlink_to(theirs)
        assert await runs.told(RUN, "drift") == {}
        told.unlink()
        told.mkdir()
        (told / "drift.json").symlink_to(theirs / "drift.json")
        assert await runs.told(RUN, "drift") == {}
        os.mkfifo(told / "fifo.json")  # would not end
        assert await runs.told(RUN, "fifo") == {}

    with_client(kept, work)


@pytest.mark.parametrize(
    "path", ["runs/../homes/x", "runs/a/b/..", "runs/.x/b/c", "runs/A/b/c", "runs/a/b/c.json"]
)
def test_no_run_is_called_so(kept: Keeper, path: str) -> None:
    before = kept.everything()
    assert kept.ask("PUT", f"/{path}", RUNS_TOKEN).status_code in (400, 404)
    assert kept.everything() == before


def test_each_token_is_for_its_own_kind(kept: Keeper) -> None:
    assert kept.ask("PUT", f"/{RUN}", TOKEN).status_code == 401
    assert kept.ask("GET", f"/{RUN}/told/drift", TOKEN).status_code == 401
    assert kept.ask("PUT", f"/{HOME}", RUNS_TOKEN).status_code == 401
    assert kept.ask("GET", "/usage", RUNS_TOKEN).status_code == 401


def test_a_token_for_what_is_used_is_good_for_nothing_else(kept: Keeper) -> None:
    kept.ask("PUT", f"/{HOME}")
    assert kept.ask("GET", "/usage", USAGE_TOKEN).json()["total"] > 0
    for method, path in (("PUT", HOME), ("GET", HOME), ("POST", f"{HOME}/measure"), ("PUT", RUN)):
        assert kept.ask(method, f"/{path}", USAGE_TOKEN).status_code == 401


def test_a_keeper_that_refuses(kept: Keeper) -> None:
    async def work(runs: RunsClient) -> None:
        with pytest.raises(RunsError, match="logs storage"):
            await runs.begin("runs/A/b/c", Begun("image", "c0ffee"))

    with_client(kept, work)
