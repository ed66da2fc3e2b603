"""One command at a time, with real processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from notehive.errors import BadInput
from notehive.platform.lock import locked

# Holds the lock, and has a child that outlives it, like an engine that `up` has started.
HOLDER = """
import subprocess, sys, time
from pathlib import Path
from notehive.platform.lock import locked
with locked("nh", Path(sys.argv[1])):
    child = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)
    print(child.pid, flush=True)
    time.sleep(60)
"""


@contextmanager
def holder(directory: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )
    assert process.stdout
    child = int(process.stdout.readline())
    try:
        yield process
    finally:
        os.kill(child, 9)
        process.kill()
        process.wait()


def test_the_second_is_told_who_is_the_first(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with pytest.raises(BadInput) as raised, locked("nh", tmp_path):
            pass
        assert str(raised.value) == (
            f"nh: another command is changing it (process {process.pid}); wait for its end"
        )
        # Another stack is another matter.
        with locked("nh-test", tmp_path):
            pass
        # It crashes: nobody has to clean up after it.
        process.kill()
        process.wait()
        with locked("nh", tmp_path):
            pass


def test_an_error_gives_the_lock_back(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(KeyError), locked("nh", tmp_path):
            raise KeyError


def test_the_name_of_the_holder_is_the_last_one(tmp_path: Path) -> None:
    (tmp_path / "notehive-nh.lock").write_text("12345678901234")
    with (
        locked("nh", tmp_path),
        pytest.raises(BadInput, match=rf"\(process {os.getpid()}\)"),
        locked("nh", tmp_path),
    ):
        pass


def test_where_no_lock_can_be(tmp_path: Path) -> None:
    with (
        pytest.raises(BadInput, match=r"no/notehive-nh\.lock: No such file or directory; run this"),
        locked("nh", tmp_path / "no"),
    ):
        pass
