"""The images under test. What an image must do, the images built on it must do as well."""

import functools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .containers import Containers

ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def built(name: str) -> str:
    """Build one of our images, unless it is there or the environment names one; its reference."""
    if given := os.environ.get(f"NOTEHIVE_IMAGE_{name.removeprefix('notebooks-').upper()}"):
        return given
    # The tests' registry port: the images of the tests' own site are the same ones.
    settings = "network: {registry_port: 15000}\n"
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(settings)
        file.flush()
        done = subprocess.run(
            [ROOT / "notehive", "--settings", file.name, "image", name],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return done.stdout.strip()


@pytest.fixture(params=["base", "datascience"])
def image(request: pytest.FixtureRequest) -> str:
    """Each notebook image in turn."""
    return built(f"notebooks-{request.param}")


@pytest.fixture
def base() -> str:
    return built("notebooks-base")


@pytest.fixture
def datascience() -> str:
    return built("notebooks-datascience")


@pytest.fixture
def containers() -> Iterator[Containers]:
    """Makes containers and volumes, and removes them after the test."""
    made = Containers()
    try:
        yield made
    finally:
        made.remove()
