"""What keeps pushes and a collection apart: a lock on a file in the registry's volume.

A layer that is pushed belongs to no image until the whole image is there, and a collection would
take it away. So those who push share the lock, and a collection has it alone. It is the kernel's:
who ends, however that may be, lets go of it.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO

FILE = "pushes.lock"
LOOK_SECONDS = 0.2


@contextmanager
def pushing(store: Path) -> Iterator[None]:
    """Share the lock of the volume at ``store``, as `up` does; waits for a collection's end."""
    with _opened(store) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@asynccontextmanager
async def held(store: Path, *, alone: bool) -> AsyncIterator[None]:
    """Hold the lock, alone or with others; waits without blocking the loop."""
    with _opened(store) as file:
        while not _taken(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
            await asyncio.sleep(LOOK_SECONDS)
        yield


def _opened(store: Path) -> BinaryIO:
    """Open the file, made by whoever comes first: to lock it, one has to read it only."""
    return os.fdopen(os.open(store / FILE, os.O_RDONLY | os.O_CREAT, 0o644), "rb")


def _taken(file: BinaryIO, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
