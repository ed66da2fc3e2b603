"""A push, released by jenkins/pipeline.groovy with the agent's own command and the real API.

Groovy with shim.groovy runs the pipeline; Jenkins' HTTP API and the builder are stand-ins.
"""

import json
import os
from pathlib import Path

import pytest

from notehive.api.stages import STAGES
from tests.jenkins.conftest import ROOT, Run
from tests.unit.test_releases import IMAGE, committed
from tests.unit.test_releases_by_jenkins import RELEASE_TOKEN, World, world  # noqa: F401


@pytest.fixture
def pipeline(world: World, groovy: Run, tmp_path: Path) -> list[dict[str, object]]:  # noqa: F811
    """Have builds run the pipeline; give the steps that it told of."""
    token, told = tmp_path / "token", list[dict[str, object]]()
    token.write_text(RELEASE_TOKEN)

    def build(job: str, given: dict[str, str]) -> str:
        done = groovy(
            *("shim.groovy", "pipeline.groovy", job),
            *(f"{key}={value}" for key, value in given.items()),
            env={
                "PATH": f"{ROOT / 'agent'}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT / "src"),
                "NOTEHIVE_API": world.api.address.removeprefix("http://"),
                "NOTEHIVE_TOKEN_FILE": str(token),
            },
        )
        told.extend(json.loads(line) for line in done.stdout.splitlines())
        return str(told[-1]["result"])

    world.jenkins.build = build
    return told


def test_a_push_goes_through_the_stages(
    world: World,  # noqa: F811
    pipeline: list[dict[str, object]],
    tmp_path: Path,
) -> None:
    commit = committed(world.api.churn.path, tmp_path, "Jenkinsfile")
    said = world.api.push(commit)
    begun = [line.removesuffix(" ...") for line in said if line.endswith(" ...")]
    assert begun == ["its own checks", *STAGES]
    assert said[-1] == f"released: {IMAGE}"
    assert [step["stage"] for step in pipeline if "stage" in step] == ["own checks", *STAGES]
    (checks,) = (step for step in pipeline if "build" in step)
    assert checks["build"] == "churn.checks"
    assert pipeline[-1] == {"result": "SUCCESS", "description": f"{commit} by ana"}


def test_a_stage_that_fails_ends_it(
    world: World,  # noqa: F811
    pipeline: list[dict[str, object]],
    tmp_path: Path,
) -> None:
    world.api.builder.does["builds"] = lambda commit: [{"error": "see above", "exit_code": 2}]
    said = world.api.push(committed(world.api.churn.path, tmp_path))
    assert said[-1] == "not released: build: see above"
    stages = [step["stage"] for step in pipeline if "stage" in step]
    assert stages == ["own checks", "check", "build"]
    assert pipeline[-1]["why"] == "script returned exit code 2"
