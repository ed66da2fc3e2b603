"""The examples, as a user has them: no problem in any, and all that they run runs."""

from pathlib import Path

import pytest

from notehive.models.new import example, make

from .conftest import ROOT
from .containers import Containers
from .test_smoke import files_of, smoke

EXAMPLES = ROOT / "examples"
NAMES = ["credit-search", "plant-drift", "sales-monthly"]


def test_there_are_no_others(datascience: str, containers: Containers) -> None:
    """And each is listed with what it is about."""
    said = containers.idle(datascience).sh("notehive model examples").splitlines()
    assert [line for line in said if not line.startswith(" ")] == NAMES
    about = [line.strip() for line in said if line.startswith(" ")]
    assert all(line.endswith(".") and "\n" not in line for line in about)
    assert len(about) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_has_no_problem(datascience: str, containers: Containers, name: str) -> None:
    container = containers.idle(datascience)
    container.python(
        "from pathlib import Path; from notehive.models.new import example, make; "
        f"make(Path('/tmp/mine'), 'mine', example('{name}'))"
    )
    assert container.sh("cd /tmp/mine && notehive model check") == "No problems."
    assert container.sh(f"grep -rl {name} /tmp/mine || true") == ""


# credit-search has a package beside those of the image: a release on a real site shows it.
@pytest.mark.parametrize("name", ["plant-drift", "sales-monthly"])
def test_it_passes(datascience: str, containers: Containers, tmp_path: Path, name: str) -> None:
    make(tmp_path / "mine", "mine", example(name, EXAMPLES))
    files = files_of(tmp_path / "mine")
    ended = smoke(containers, datascience, files, "--memory=1g", "--memory-swap=1g", "--cpus=1")
    assert ended.code == 0, ended.log
    assert "version 1 of mine is the challenger" in ended.log
    assert " passed" in ended.log
