"""Real commands, run and watched."""

import contextlib
import os
import threading
import time
from pathlib import Path

import psutil
import pytest

from notehive import shell
from notehive.errors import NotehiveError


def test_run_gives_what_was_said() -> None:
    done = shell.run(
        ["sh", "-c", 'cat; echo "$NAME"; printf "\\377" >&2; exit 3'],
        check=False,
        env={"NAME": "ana"},
        stdin=b"in\n",
    )
    assert done == shell.Result(3, "in\nana\n", "\ufffd")


def test_a_command_is_not_a_line_of_shell() -> None:
    assert shell.run(["echo", "$HOME; echo x"]).out == "$HOME; echo x\n"


def test_a_command_that_reads_gets_nothing_of_ours() -> None:
    assert shell.run(["cat"], timeout=5).out == ""


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo fine; echo first >&2; echo last >&2; exit 5", "exit code 5: last"),
        ("echo only output; exit 1", "exit code 1: only output"),
        ("exit 1", "exit code 1: nothing"),
    ],
)
def test_a_failure_is_one_line_with_the_commands_last_word(script: str, message: str) -> None:
    with pytest.raises(shell.CommandError) as raised:
        shell.run(["env", "sh", "-c", script, "and what else was said"])
    assert str(raised.value) == f"env sh -c: {message}"
    assert raised.value.exit_code == 1


def test_no_such_command() -> None:
    with pytest.raises(NotehiveError, match=r"^no-such-command: no such command on this machine$"):
        shell.run(["no-such-command"], check=False)


def test_a_command_that_is_no_program(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    with pytest.raises(NotehiveError, match=r"file: may not be run by this user$"):
        shell.run([str(path)], check=False)


def test_timeout() -> None:
    late = shell.run(["sleep", "60"], check=False, timeout=0.1)
    assert (late.code, late.err) == (124, "no answer within 0.1 s")
    with pytest.raises(shell.CommandError, match=r"sleep 60: exit code 124: no answer within 0.1"):
        shell.run(["sleep", "60"], timeout=0.1)


def test_stream_writes_shows_and_gives_the_code(tmp_path: Path) -> None:
    log, seen = tmp_path / "log", list[str]()
    with (tmp_path / "in").open("w+b") as stdin:
        stdin.write(b"from stdin\n")
        stdin.seek(0)
        code = shell.stream(
            ["sh", "-c", 'cat; echo out "$NAME"; echo err >&2; printf unfinished; exit 4'],
            log=log,
            on_line=seen.append,
            stdin=stdin,
            env={"NAME": "ana"},
        )
    assert code == 4
    assert seen == ["from stdin", "out ana", "err", "unfinished"]
    assert log.read_text() == "from stdin\nout ana\nerr\nunfinished"


def test_lines_are_seen_as_they_come(tmp_path: Path) -> None:
    """The command goes on only after its first line has arrived in the log."""
    log, go = tmp_path / "log", tmp_path / "go"

    def on_line(line: str) -> None:
        assert log.read_text() == "first\n" or line == "second"
        go.touch()

    script = f"echo first; until [ -e {go} ]; do sleep 0.01; done; echo second"
    assert shell.stream(["sh", "-c", script], log=log, on_line=on_line) == 0
    assert log.read_text() == "first\nsecond\n"


# The child of the child keeps the pipe open, as the plugins of Docker's client do.
FAMILY = "sleep 61 & echo $!; echo $$; wait"


def await_end(pids: list[int]) -> None:
    deadline = time.monotonic() + 10
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                assert time.monotonic() < deadline, f"process {pid} still runs"
                time.sleep(0.01)


def test_stop_ends_the_command_and_its_children(tmp_path: Path) -> None:
    stop, pids = threading.Event(), []

    def on_line(line: str) -> None:
        pids.append(int(line))
        if len(pids) == 2:
            stop.set()

    code = shell.stream(["sh", "-c", FAMILY], log=tmp_path / "log", on_line=on_line, stop=stop)
    assert code != 0
    assert len(pids) == 2
    await_end(pids)


def test_an_error_of_ours_ends_the_command(tmp_path: Path) -> None:
    pids = []

    def on_line(line: str) -> None:
        pids.append(int(line))
        if len(pids) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shell.stream(["sh", "-c", FAMILY], log=tmp_path / "log", on_line=on_line)
    assert len(pids) == 2
    await_end(pids)


def test_ctrl_c_is_ours_alone(tmp_path: Path) -> None:
    """The command has a session of its own, which the terminal's signals do not reach."""
    log = tmp_path / "log"
    shell.stream(["sh", "-c", "ps -o sid= -p $$"], log=log)
    assert int(log.read_text()) != os.getsid(0)
