"""One command of a build: its lines as they come, and its end when it must."""

import asyncio
import itertools
import os
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO

from notehive import shell
from notehive.builder import Say

LOOK_SECONDS = 1.0
BUILDKIT = re.compile(r"^#\d+ (?:\d+\.\d+ )?(?:(?:DONE|transferring|sha256:|\[internal\]) ?.*)?")
CONFLICT = "The conflict is caused by:"
USER = "The user requested "
CONSTRAINT, IMAGE = f"{USER}(constraint) ", "the notebook image has "
REMEMBERED = 200  # of the last lines, to find the reason of a failure in


class FailedError(Exception):
    """A command did not do it."""

    def __init__(self, code: int, lines: Iterable[str]) -> None:
        self.code = code
        super().__init__(reason(list(lines)) or f"exit code {code}")


async def run(
    args: Sequence[str],
    say: Say,
    *,
    stdin: IO[bytes] | None = None,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Run a command to its end; it is ended when this is cancelled, or when ``look`` raises.

    ``look`` is called each second. Raises FailedError if the command fails.
    """
    lines: deque[str] = deque(maxlen=REMEMBERED)
    stop = threading.Event()

    def heard(line: str) -> None:
        if told := BUILDKIT.sub("", line).strip():
            lines.append(told)
            say(told)

    work = asyncio.create_task(
        asyncio.to_thread(
            shell.stream, args, log=Path(os.devnull), on_line=heard, stdin=stdin, stop=stop
        )
    )
    try:
        while not (await asyncio.wait({work}, timeout=LOOK_SECONDS))[0]:
            look()
    finally:
        stop.set()
        await asyncio.wait({work})
    if code := work.result():
        raise FailedError(code, lines)


def reason(lines: Sequence[str]) -> str:
    """Give what a log's end says of why it failed: the last error that tells something."""
    if CONFLICT in lines:  # pip's words for what it has tried come next
        rest = lines[lines.index(CONFLICT) + 1 :]
        tried = itertools.takewhile(lambda line: " depends on " in line or USER in line, rest)
        return ", but ".join(line.replace(CONSTRAINT, IMAGE) for line in tried)
    errors = [line for line in lines if line.lower().startswith(("error:", "e: "))]
    telling = [line for line in errors if "ResolutionImpossible" not in line]
    found = (telling or errors or [line for line in lines if line.strip()] or [""])[-1]
    return found.removeprefix("ERROR: ").removeprefix("E: ").strip()
