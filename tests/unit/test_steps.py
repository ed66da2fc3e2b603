"""What a log of `up` looks like, and that showing it never hides what happened."""

import io
import re
import threading

import pytest
from rich.console import Console

from notehive.platform.steps import Steps


def shown(*, terminal: bool = False) -> tuple[Steps, io.StringIO]:
    out = io.StringIO()
    return Steps(Console(file=out, width=40, force_terminal=terminal)), out


def lines(out: io.StringIO) -> list[str]:
    return [re.sub(r"\d+\.\d s$", "SECONDS", line) for line in out.getvalue().splitlines()]


def test_one_line_for_each_step() -> None:
    steps, out = shown()
    steps.heading("Changes")
    with steps.step("Swarm") as step:
        step.say("looking")
        step.say("made one at 10.0.0.7, which is said at more length than fits the width")
    with steps.step("Secrets") as step:
        step.skip("are there")
    with steps.step("Silent"):
        pass
    assert lines(out) == [
        "",
        "Changes",
        " ✓ Swarm made one at 10.0.0.7, which is said at more length than fits the width SECONDS",
        " · Secrets are there SECONDS",
        " ✓ Silent SECONDS",
    ]


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt()])
def test_a_failing_step_is_marked(error: BaseException) -> None:
    steps, out = shown()
    with pytest.raises(type(error)), steps.step("Image hub") as step:
        step.say("RUN pip install")
        raise error
    assert lines(out) == [" ✗ Image hub RUN pip install SECONDS"]


@pytest.mark.parametrize("terminal", [False, True])
def test_what_looks_like_markup_is_shown_as_it_is(terminal: bool) -> None:
    """BuildKit writes ``[2/9]`` and ``[/bin/sh -c ...]``."""
    steps, out = shown(terminal=terminal)
    with pytest.raises(ValueError, match="bad"), steps.step("Image [x]") as step:
        step.say("[/bin/sh -c make] [red]\nand a second line")
        raise ValueError("bad")
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert " ✗ Image [x] [/bin/sh -c make] [red] " in plain


def test_steps_of_several_threads() -> None:
    steps, out = shown(terminal=True)
    both = threading.Barrier(2)

    def work(name: str) -> None:
        with steps.step(name):
            both.wait(5)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f"✓\x1b[0m {name} " in out.getvalue() for name in ("one", "two"))
    # The cursor is given back.
    assert out.getvalue().rindex("\x1b[?25h") > out.getvalue().rindex("\x1b[?25l")
