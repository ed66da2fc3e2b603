"""One command at a time changes a stack."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notehive.errors import BadInput


@contextmanager
def locked(stack: str, directory: Path = Path("/run/lock")) -> Iterator[None]:
    """Hold the lock of a stack, or say at once who holds it.

    The lock lies outside the clone, for two clones may serve one stack.
    """
    path = directory / f"notehive-{stack}.lock"
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}; run this as root") from None
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 20).decode().strip() or "unknown"
            raise BadInput(
                f"{stack}: another command is changing it (process {holder}); wait for its end"
            ) from None
        os.truncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(file)
