"""The one place that runs a command."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from notehive.errors import NotehiveError


@dataclass(frozen=True)
class Result:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


PATIENCE_SECONDS = 2.0


class CommandError(NotehiveError):
    """A command ended with another code than 0."""

    def __init__(self, args: Sequence[str], result: Result) -> None:
        self.result = result
        said = (result.err.strip() or result.out.strip() or "nothing").splitlines()[-1]
        super().__init__(f"{' '.join(args[:3])}: exit code {result.code}: {said}")


def run(
    args: Sequence[str],
    *,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float | None = None,
) -> Result:
    """Run a command to its end and give what it said.

    ``env`` is added to our own environment; ``timeout`` is in seconds, after which the command
    has failed with code 124. Raises CommandError if it fails and ``check`` is set,
    NotehiveError if there is no such command.
    """
    try:
        done = subprocess.run(
            list(args),
            input=stdin if stdin is not None else b"",
            capture_output=True,
            check=False,
            env={**os.environ, **(env or {})},
            timeout=timeout,
        )
    except FileNotFoundError:
        raise NotehiveError(f"{args[0]}: no such command on this machine") from None
    except PermissionError:
        raise NotehiveError(f"{args[0]}: may not be run by this user") from None
    except subprocess.TimeoutExpired:
        result = Result(124, "", f"no answer within {timeout:g} s")
    else:
        result = Result(
            done.returncode,
            done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"),
        )
    if check and result.code:
        raise CommandError(args, result)
    return result


def stream(
    args: Sequence[str],
    *,
    log: Path,
    on_line: Callable[[str], None] = lambda line: None,
    stdin: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Run a command, its output line by line to ``log`` and ``on_line``; give its exit code.

    The command, with all that it has started, is ended when ``stop`` is set, or when this is
    interrupted.
    """
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            list(args),
            stdin=stdin if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches us first, and we end it in our own order
        ) as process,
    ):
        watcher = threading.Thread(target=_stop_when, args=(process, stop), daemon=True)
        watcher.start()
        try:
            assert process.stdout is not None  # noqa: S101 - PIPE above
            for line in process.stdout:
                file.write(line)
                file.flush()
                on_line(line.rstrip())
            return process.wait()
        except BaseException:
            _end(process)
            raise


def _stop_when(process: "subprocess.Popen[str]", stop: threading.Event | None) -> None:
    while stop is not None and process.poll() is None:
        if stop.wait(0.2):
            _end(process)
            return


def _end(process: "subprocess.Popen[str]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            # The Docker client waits for its build; the engine cancels one whose client is gone.
            os.killpg(process.pid, signal.SIGKILL)


def attach(args: Sequence[str]) -> int:
    """Run a command on our own terminal, and give its exit code."""
    return subprocess.run(list(args), check=False).returncode
