"""Debian's groovy, which runs what Jenkins would."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def run(*args: str, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        args, capture_output=True, text=True, check=False, env={**os.environ, **env}
    )


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classes of stand_in/, compiled."""
    directory = tmp_path_factory.mktemp("stand-in")
    sources = sorted(str(path) for path in (HERE / "stand_in").rglob("*.groovy"))
    done = run("groovyc", "-d", str(directory), *sources, env={})
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


@pytest.fixture(scope="session")
def groovy() -> Run:
    """Runs a script of this folder with one of jenkins/ as its first argument."""
    assert shutil.which("groovy"), "groovy is missing; `make .notehive/groovy` installs it"

    def run_script(
        script: str, subject: str, *args: str, env: Mapping[str, str] | None = None, cp: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        class_path = ("-cp", cp) if cp else ()
        files = (str(HERE / script), str(ROOT / "jenkins" / subject))
        return run("groovy", *class_path, *files, *args, env=env or {})

    return run_script
