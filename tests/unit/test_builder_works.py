"""Who builds when, who hears what, and how it ends."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from notehive.builder import Say, disk, program, works
from notehive.builder.app import App
from notehive.builder.program import FailedError
from notehive.builder.turns import Turns
from notehive.builder.wanted import WantedBuild
from notehive.builder.works import Event, Works
from notehive.errors import BadInput, NotehiveError
from notehive.guard.engine import EngineError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WANTED = {"group": "lab", "name": "churn", "commit": COMMIT}


def quiet(line: str) -> None:
    """Take a line that does not matter."""


async def settle() -> None:
    """Let all that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


# Turns


def test_two_build_at_once_and_of_a_repository_one() -> None:
    async def check() -> None:
        turns, running, said = Turns(at_once=2, most=5), list[str](), list[str]()
        gates = {name: asyncio.Event() for name in ("a1", "a2", "b1", "c1", "d1")}

        async def build(name: str) -> None:
            async with turns.turn(name[0], lambda line: said.append(f"{name} {line}")):
                running.append(name)
                try:
                    await gates[name].wait()
                finally:
                    running.remove(name)

        tasks = {name: asyncio.create_task(build(name)) for name in gates}
        await settle()
        assert running == ["a1", "b1"]
        assert said == [f"{name} waiting; {n} before this one"
                        for name, n in (("a2", 1), ("c1", 3), ("d1", 4))]  # fmt: skip
        gates["b1"].set()
        await settle()
        assert running == ["a1", "c1"], "a2 waits for a1"
        tasks["a1"].cancel()
        await settle()
        assert running == ["c1", "a2"]
        assert said[3:] == ["d1 waiting; 3 before this one", "d1 waiting; 2 before this one"]
        for gate in gates.values():
            gate.set()
        await asyncio.gather(*tasks.values(), return_exceptions=True)

    asyncio.run(check())


def test_the_queue_has_an_end() -> None:
    async def check() -> None:
        turns = Turns(at_once=1, most=1)
        async with turns.turn("a", quiet):
            with pytest.raises(NotehiveError, match="1 builds wait already"):
                async with turns.turn("b", quiet):
                    pass
        async with turns.turn("b", quiet):
            pass

    asyncio.run(check())


# Works


async def heard(told: Works, key: str, start: Callable[[Say], Awaitable[Event]]) -> list[Event]:
    return [event async for event in told.follow(key, start)]


def test_who_asks_for_the_same_hears_the_same() -> None:
    async def check() -> None:
        told, gate, starts = Works("builder"), asyncio.Event(), list[int]()

        async def start(say: Say) -> Event:
            starts.append(1)
            say("begun")
            await gate.wait()
            say("done")
            return {"image": "x"}

        first = asyncio.create_task(heard(told, "a", start))
        await settle()
        second = asyncio.create_task(heard(told, "a", start))
        await settle()
        gate.set()
        expected = [{"line": "begun"}, {"line": "done"}, {"result": {"image": "x"}}]
        assert await first == await second == expected
        assert len(starts) == 1
        assert (await heard(told, "a", start))[-1] == expected[-1]
        assert len(starts) == 2, "what has ended begins anew"

    asyncio.run(check())


def test_what_nobody_listens_to_ends() -> None:
    async def check() -> None:
        told, ended = Works("builder"), list[str]()

        async def start(say: Say) -> Event:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("ended")
            return {}

        listeners = [asyncio.create_task(heard(told, "a", start)) for _ in range(2)]
        await settle()
        listeners[0].cancel()
        await settle()
        assert ended == []
        listeners[1].cancel()
        await settle()
        assert ended == ["ended"]

    asyncio.run(check())


@pytest.mark.parametrize(
    ("error", "last"),
    [
        (BadInput("yours"), {"error": "yours", "exit_code": 2}),
        (NotehiveError("ours"), {"error": "ours", "exit_code": 1}),
        (EngineError(500, "its"), {"error": "Docker engine: its", "exit_code": 1}),
        (
            ZeroDivisionError(),
            {"error": "builder: it failed; see `./notehive logs builder`", "exit_code": 1},
        ),
    ],
)
def test_how_a_failure_is_told(error: Exception, last: Event) -> None:
    async def start(say: Say) -> Event:
        raise error

    assert asyncio.run(heard(Works("builder"), "a", start)) == [last]


def test_who_listens_to_a_service_that_ends_hears_what_to_do() -> None:
    async def check() -> None:
        told = Works("builder")

        async def start(say: Say) -> Event:
            await asyncio.Event().wait()
            return {}

        listener = asyncio.create_task(heard(told, "a", start))
        await settle()
        await told.end()
        said = "builder: it was ended meanwhile; `notehive model release` tries once more"
        assert await listener == [{"error": said, "exit_code": 1}]

    asyncio.run(check())


def test_a_log_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(works, "LONGEST_LOG", 25)
    monkeypatch.setattr(works, "LONGEST_LINE", 60)

    async def start(say: Say) -> Event:
        for _ in range(5):
            say("0123456789")
        return {}

    *lines, last = asyncio.run(heard(Works("builder"), "a", start))
    assert [each["line"] for each in lines] == [
        "0123456789",
        "0123456789",
        "... the log is too long; what follows is left out",
    ]
    assert last == {"result": {}}


# Programs


def is_there(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    return False


def test_a_program_and_its_lines() -> None:
    lines: list[str] = []
    asyncio.run(program.run(["sh", "-c", "echo one; echo two >&2"], lines.append))
    assert lines == ["one", "two"]
    lines.clear()
    # What BuildKit says, without its counting.
    said = ["#1 [internal] load build definition", "#1 transferring dockerfile: 325B done",
            "#6 [2/2] RUN uv pip", "#6 0.645 Installed 1 package", "", "#6 DONE 1.3s"]  # fmt: skip
    asyncio.run(program.run(["printf", "%s\\n", *said], lines.append))
    assert lines == ["[2/2] RUN uv pip", "Installed 1 package"]
    with pytest.raises(FailedError, match=r"^it is broken$"):
        asyncio.run(program.run(["sh", "-c", "echo 'ERROR: it is broken'; exit 3"], quiet))
    with pytest.raises(FailedError, match=r"^exit code 3$"):
        asyncio.run(program.run(["sh", "-c", "exit 3"], quiet))


def test_a_program_ends_with_who_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "LOOK_SECONDS", 0.01)

    async def check(why: str) -> None:
        pids: list[int] = []

        def look() -> None:
            if pids and why == "look":
                raise NotehiveError("no room")

        command = ["sh", "-c", "echo $$; exec sleep 600"]
        work = asyncio.create_task(
            program.run(command, lambda line: pids.append(int(line)), look=look)
        )
        while not pids:
            await asyncio.sleep(0.01)
        if why == "cancel":
            work.cancel()
        with pytest.raises((NotehiveError, asyncio.CancelledError)):
            await work
        assert not is_there(pids[0])

    began = time.monotonic()
    asyncio.run(check("cancel"))
    asyncio.run(check("look"))
    assert time.monotonic() - began < 600, "it was not slept to its end"


def test_a_full_disk(tmp_path: Path) -> None:
    disk.require_room(tmp_path, 1)
    with pytest.raises(NotehiveError, match=r"^disk: \d+ MB are free .* leave 1073741824; make ro"):
        disk.require_room(tmp_path, 1 << 50)


# The server


class StandInBuilds:
    """Stand-ins for builds: they say what they were asked for."""

    def __init__(self) -> None:
        self.engine, self.config = SimpleNamespace(ask=self._ask), SimpleNamespace(stack="nh")

    async def _ask(self, method: str, path: str) -> None:
        pass

    async def build(self, wanted: WantedBuild, say: Say) -> dict[str, Any]:
        say(f"building {wanted.commit[:4]}")
        return {"image": wanted.image(1), "fresh": wanted.fresh}


class Asked:
    """One answer of the server."""

    def __init__(self, body: bytes, headers: dict[str, str]) -> None:
        self.status, self.text = asyncio.run(self._ask(body, headers))

    async def _ask(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        stand_in: Any = StandInBuilds()
        app = App(stand_in, stand_in, stand_in, stand_in, stand_in, "the-token")
        app._tidy = lambda: None  # type: ignore[method-assign]
        async with TestClient(TestServer(app.application())) as client:
            answer = await client.post("/builds", data=body, headers=headers)
            return answer.status, await answer.text()


BEARER = {"Authorization": "Bearer the-token"}


def test_a_build_is_told_line_by_line() -> None:
    asked = Asked(json.dumps({**WANTED, "fresh": True}).encode(), BEARER)
    assert asked.status == 200
    assert [json.loads(line) for line in asked.text.splitlines()] == [
        {"line": "building 0123"},
        {"result": {"image": f"127.0.0.1:1/models/lab/churn:{COMMIT}", "fresh": True}},
    ]


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer other"}, {"Authorization": "the-token"},
     {"Authorization": "Bearer the-tokenä"}],
)  # fmt: skip
def test_nobody_builds_without_the_token(headers: dict[str, str]) -> None:
    assert Asked(json.dumps(WANTED).encode(), headers).status == 401


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "not plain JSON"),
        (b"{", 400, "not plain JSON"),
        (b"[]", 400, "body: "),
        (b'{"group": "lab"}', 400, "name: Field required"),
        (json.dumps({**WANTED, "group": "../x"}).encode(), 400, "group: "),
        (json.dumps({**WANTED, "push": True}).encode(), 400, "push: Extra inputs"),
        (b'{"group": "a", "group": "lab"}', 400, "a key is there twice"),
        (b" " * (1 << 20) + json.dumps(WANTED).encode(), 413, ""),
    ],
)
def test_what_is_not_understood_is_not_built(body: bytes, status: int, said: str) -> None:
    asked = Asked(body, BEARER)
    assert asked.status == status
    assert said in asked.text
