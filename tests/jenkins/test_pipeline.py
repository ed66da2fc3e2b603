"""jenkins/pipeline.groovy, run by Groovy with shim.groovy in place of Jenkins' Pipeline plugins.

Its `sh` steps run for real, with a `notehive` that writes down how it was called. Not exercised
here: that Declarative Pipeline accepts the file, CPS and the sandbox, time-outs, a real build of
another job. tests/stack/test_jenkins.py does that where Jenkins' image can be had.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.jenkins.conftest import Run

COMMIT = "0123456789abcdef0123456789abcdef01234567"
STAGES = ["own checks", "check", "build", "smoke", "push", "publish"]
NOTEHIVE = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
[ "$2" != "$FAILING" ] || exit 3
[ "$2" != source ] || printf '%s' "$ADDRESS"
"""


@dataclass
class Release:
    """What a run of the pipeline did."""

    calls: list[str]  # of notehive
    steps: list[dict[str, Any]]
    code: int

    def said(self, key: str) -> list[Any]:
        return [step[key] for step in self.steps if key in step]


@pytest.fixture
def release(groovy: Run, tmp_path: Path) -> Any:
    command = tmp_path / "bin/notehive"
    command.parent.mkdir()
    command.write_text(NOTEHIVE)
    command.chmod(0o755)
    calls = tmp_path / "calls"
    calls.touch()

    def run(address: str = "", failing: str = "", commit: str = COMMIT, **env: str) -> Release:
        done = groovy(
            *("shim.groovy", "pipeline.groovy", "lab/churn", f"COMMIT={commit}", "PUSHER=ana"),
            env={
                "PATH": f"{command.parent}:/usr/bin:/bin",
                "CALLS": str(calls),
                "FAILING": failing,
                "ADDRESS": address,
                **env,
            },
        )
        steps = [json.loads(line) for line in done.stdout.splitlines()]
        assert steps, done.stderr
        return Release(calls.read_text().splitlines(), steps, done.returncode)

    return run


def call(stage: str) -> str:
    return f"model {stage} --group lab --name churn --commit {COMMIT}"


def test_stages_in_order(release: Any) -> None:
    done = release()
    assert done.code == 0
    assert done.calls == [call(s) for s in ("source", *STAGES[1:])]
    assert done.said("stage") == STAGES
    assert done.said("label") == ["releases"]
    assert len(done.said("timeout")) == 1 + len(STAGES), "one for each stage, and one for all"
    assert done.steps[-1]["description"] == f"{COMMIT} by ana"


def test_own_checks_come_first(release: Any) -> None:
    done = release(address="http://site/git/lab/churn.git")
    (build,) = (step for step in done.steps if "build" in step)
    assert build == {
        "build": "churn.checks",
        "parameters": {"COMMIT": COMMIT, "SOURCE": "http://site/git/lab/churn.git"},
    }
    first_check = next(step for step in done.steps if step.get("stage") == "check")
    assert done.steps.index(build) < done.steps.index(first_check)


def test_own_checks_that_fail_end_it(release: Any) -> None:
    done = release(address="http://site/git/lab/churn.git", CHECKS="fail")
    assert done.code == 1
    assert done.calls == [call("source")]
    assert done.steps[-1]["result"] == "FAILURE"


@pytest.mark.parametrize("failing", ["source", *STAGES[1:]])
def test_a_failing_stage_ends_it(failing: str, release: Any) -> None:
    order = ["source", *STAGES[1:]]
    done = release(failing=failing)
    assert done.code == 1
    assert done.calls == [call(stage) for stage in order[: order.index(failing) + 1]]
    assert done.said("stage") == STAGES[: order.index(failing) + 1]


def test_a_parameter_is_no_command(release: Any, tmp_path: Path) -> None:
    done = release(commit=f'$(touch {tmp_path}/a) `touch {tmp_path}/b`"; touch {tmp_path}/c')
    assert done.code == 0
    assert not [name for name in "abc" if (tmp_path / name).exists()]
