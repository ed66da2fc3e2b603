"""jenkins/jobs.groovy, run by Groovy with job_dsl.groovy in place of Job DSL.

Not exercised here: that Job DSL has these words for jobs of these kinds.
"""

import json
from pathlib import Path

import pytest

from notehive.platform import jenkins
from notehive.settings import parse
from tests.jenkins.conftest import HERE, Run

SETTINGS = parse("services: {jenkins: on}\ngroups: {lab: {}, guild: {shared: everyone}}")
REPOSITORIES = [{"group": "lab", "name": "churn"}, {"group": "removed", "name": "old"}]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What Jenkins finds in its container."""
    groups = next(c for c in jenkins.contents(SETTINGS) if c.key == "jenkins-groups")
    for path, content in {
        "etc/notehive/jenkins/groups.json": groups.data.decode(),
        "opt/notehive/jenkins/pipeline.groovy": "the pipeline",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(content)
    return tmp_path


def made(groovy: Run, root: Path) -> str:
    done = groovy("job_dsl.groovy", "jobs.groovy", env={"NOTEHIVE_ROOT": str(root)})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_folders_and_jobs(groovy: Run, root: Path) -> None:
    (root / "srv/jenkins").mkdir(parents=True)
    (root / "srv/jenkins/repositories.json").write_text(json.dumps(REPOSITORIES))
    assert made(groovy, root) == (HERE / "jobs.txt").read_text()


def test_before_the_first_repository(groovy: Run, root: Path) -> None:
    lines = made(groovy, root).splitlines()
    tops = [line for line in lines if not line.startswith(" ")]
    assert tops == ["folder everyone", "folder lab", "folder guild"]
