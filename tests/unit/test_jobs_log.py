"""The log of a job, from a stand-in of the engine that speaks its frames."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientSession, web

from notehive.jobs import log as module
from notehive.jobs.log import Frames, Log


def frame(text: str, stream: int = 1) -> bytes:
    raw = text.encode()
    return bytes([stream, 0, 0, 0]) + len(raw).to_bytes(4, "big") + raw


def test_frames_are_found_wherever_the_bytes_are_cut() -> None:
    raw = frame("one\n") + frame("żółw\n", 2) + frame("") + frame("no end")
    for size in (1, 3, 7, 8, len(raw)):
        frames = Frames()
        lines = [
            line
            for start in range(0, len(raw), size)
            for line in frames.feed(raw[start : start + size])
        ]
        assert lines == ["one", "żółw", "", "no end"]


class Engine:
    """A stand-in: what it has written so far, and how much of it a follower gets to see."""

    def __init__(self, lines: list[str], seen: int) -> None:
        self.lines, self.seen = lines, seen
        self.asked: list[str] = []

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request.raw_path.partition("?")[2])
        response = web.StreamResponse()
        await response.prepare(request)
        lines = self.lines
        if "follow=1" in request.raw_path:
            lines = lines[: self.seen]
        elif "tail=" in request.raw_path:
            lines = lines[-int(request.raw_path.rpartition("=")[2]) :]
        await response.write(b"".join(frame(f"{line}\n") for line in lines))
        if "follow=1" in request.raw_path:
            await asyncio.sleep(60)  # as the engine's, which does not end by itself
        return response


def with_log(engine: Engine, work: Callable[[Log, list[str]], Awaitable[None]]) -> None:
    async def run() -> None:
        server = web.ServerRunner(web.Server(engine.answer, handler_cancellation=True))
        await server.setup()
        site = web.TCPSite(server, "127.0.0.1", 0)
        await site.start()
        told: list[str] = []
        async with ClientSession() as session:
            port = server.addresses[0][1]
            log = Log(session, f"http://127.0.0.1:{port}/services/x", told.append)
            await work(log, told)
        await server.cleanup()

    asyncio.run(asyncio.wait_for(run(), 20))


async def follow(log: Log, lines: int) -> None:
    reading = asyncio.create_task(log.follow())
    while log.lines < lines and not reading.done():
        await asyncio.sleep(0.01)
    reading.cancel()
    await asyncio.wait([reading])


def test_each_line_is_told_once() -> None:
    """Also those that a follower had not seen when the task ended, and after a lost connection."""
    lines = [f"line {number}" for number in range(10_000)]
    engine = Engine(lines, 6_000)

    async def work(log: Log, told: list[str]) -> None:
        await follow(log, 6_000)
        engine.seen = 9_990
        await follow(log, 9_990)
        await log.finish()
        assert told == lines
        assert log.last == lines[-1]

    with_log(engine, work)


def test_a_long_log_is_cut_but_for_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    lines = [f"line {number}" for number in range(500)]
    engine = Engine(lines, 500)

    async def work(log: Log, told: list[str]) -> None:
        await log.follow()
        first = len(told)
        assert told == lines[:first]
        assert first < 20
        await log.finish()
        assert told[first + 1 :] == lines[-20:]
        assert log.last == "line 499"
        assert engine.asked[-1] == "stdout=1&stderr=1&tail=20"

    with_log(engine, work)


def test_the_last_line_is_one_that_says_something() -> None:
    engine = Engine(["KeyError: 'age'", "", "  "], 0)

    async def work(log: Log, told: list[str]) -> None:
        await log.finish()
        assert (log.last, len(told)) == ("KeyError: 'age'", 3)

    with_log(engine, work)
