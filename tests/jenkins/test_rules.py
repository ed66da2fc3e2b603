"""jenkins/rules.groovy and identity.groovy, run by Groovy with stand_in/ in place of Jenkins.

Not exercised here: that Jenkins asks them.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.jenkins.conftest import Run

AGENTS = ["releases", "checks-lab", "checks-la", "checks-guild"]
NOBODY = {"agents": [], "as": ["anonymous"]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for directory in ("run/secrets", "var/lib/notehive/agents", "tmp"):
        (tmp_path / directory).mkdir(parents=True)
    for name in ("releases", "checks-lab", "release-token"):
        (tmp_path / "run/secrets" / name).write_text(f"known-{name}\n")
    return tmp_path


@pytest.fixture
def answers(groovy: Run, stand_in: Path, root: Path) -> dict[str, Any]:
    jobs = ("lab/churn", "lab/churn.checks", "guild/x.checks", "other/x.checks", "x", "lab/a/b")
    done = groovy(
        *("ask_rules.groovy", "rules.groovy", ",".join(AGENTS), *jobs),
        env={"NOTEHIVE_ROOT": str(root)},
        cp=str(stand_in),
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_who_may_use_which_agent(answers: dict[str, Any]) -> None:
    assert answers == {
        "lab/churn": {"agents": ["releases"], "as": ["SYSTEM"]},
        "lab/churn.checks": {"agents": ["checks-lab"], "as": ["anonymous"]},
        "guild/x.checks": {"agents": ["checks-guild"], "as": ["anonymous"]},
        "other/x.checks": NOBODY,
        "x": NOBODY,
        "lab/a/b": NOBODY,
        "gone": NOBODY,
    }


def test_agents_learn_their_secrets(answers: dict[str, Any], root: Path) -> None:
    told = {path.name: path.read_text() for path in (root / "var/lib/notehive/agents").iterdir()}
    assert told == {
        "known-releases": "secret of releases",
        "known-checks-lab": "secret of checks-lab",
    }
    assert (root / "tmp/rules").exists(), "the health check asks for it"


def test_who_a_request_is_of(groovy: Run, stand_in: Path) -> None:
    done = groovy(
        *("ask_identity.groovy", "identity.groovy", "User=ana", "Groups=lab,everyone,admin="),
        cp=str(stand_in),
    )
    assert json.loads(done.stdout) == [
        {"name": "ana", "groups": ["authenticated", "lab", "everyone", "admin="]}
    ]


def test_a_request_without_a_user_gets_none(groovy: Run, stand_in: Path) -> None:
    done = groovy(
        "ask_identity.groovy", "identity.groovy", "Groups=lab,admin=yes", cp=str(stand_in)
    )
    assert json.loads(done.stdout) == [{"name": "left", "groups": []}]
