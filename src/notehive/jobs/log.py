"""The log of a service, read while it is written.

The engine gives it as frames: a byte for the stream, three zeros, the length of the payload as a
big-endian number, and the payload: a line, or a part of a long one.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from aiohttp import ClientSession, ClientTimeout

HEADER = 8
# An engine before version 23 gives a reader 10 MB of a service's log, and then a byte each second.
# It is also the size at which a log's first lines are dropped. Who wants more than this finds it
# in the executed notebook.
MOST_BYTES = 8 * 2**20
LINE_BYTES = 80  # what a line takes beside its text, about
LAST_LINES = 20  # of a longer log, which are told at its end
TIMEOUT = ClientTimeout(total=None, sock_connect=10)


@dataclass
class Frames:
    """Makes lines of the bytes that come."""

    rest: bytes = b""

    def feed(self, data: bytes) -> list[str]:
        """Take more bytes; give the lines that they complete."""
        rest, lines, start = self.rest + data, [], 0
        while len(rest) - start >= HEADER:
            text = start + HEADER
            end = text + int.from_bytes(rest[start + 4 : text], "big")
            if len(rest) < end:
                break
            lines.append(rest[text:end].decode(errors="replace").rstrip("\r\n"))
            start = end
        self.rest = rest[start:]
        return lines


@dataclass
class Log:
    """The log of one service; each of its lines is told once, however often it is read."""

    session: ClientSession
    url: str  # of the service
    tell: Callable[[str], None]
    last: str = ""  # line that says something
    lines: int = 0  # that have been told, of those from the beginning
    size: int = 0  # of these on the node's disk, about

    @property
    def full(self) -> bool:
        """Whether as much has been told as is told of any log."""
        return self.size >= MOST_BYTES

    async def follow(self) -> None:
        """Tell what is new, and each line as it comes. It does not end when the task does."""
        await self._tell_new(follow=True)

    async def finish(self) -> None:
        """Tell what is left, once the task has ended."""
        if not self.full:
            await self._tell_new()
        if self.full:
            self.tell(f"The log is longer than this; here are its last {LAST_LINES} lines:")
            async for line in self._read(tail=LAST_LINES):
                self._tell(line)

    async def _tell_new(self, *, follow: bool = False) -> None:
        told, read = self.lines, 0
        async for line in self._read(follow=follow):
            read += 1
            if read > told:
                self.lines, self.size = read, self.size + len(line) + LINE_BYTES
                self._tell(line)
            if self.full:
                return

    async def _read(self, *, follow: bool = False, tail: int = 0) -> AsyncIterator[str]:
        last = f"&tail={tail}" if tail else ""
        url = f"{self.url}/logs?{'follow=1&' if follow else ''}stdout=1&stderr=1{last}"
        frames = Frames()
        async with self.session.get(url, timeout=TIMEOUT) as answer:
            answer.raise_for_status()
            async for data in answer.content.iter_any():
                for line in frames.feed(data):
                    yield line

    def _tell(self, line: str) -> None:
        self.last = line.strip() or self.last
        self.tell(line)
