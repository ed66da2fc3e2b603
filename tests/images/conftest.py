"""The images under test. What an image must do, the images built on it must do as well."""

import os
from collections.abc import Iterator

import pytest

from .containers import Containers

BASE = os.environ.get("NOTEHIVE_IMAGE_BASE", "notehive/notebooks-base")
DATASCIENCE = os.environ.get("NOTEHIVE_IMAGE_DATASCIENCE", "notehive/notebooks-datascience")


@pytest.fixture(params=[BASE, DATASCIENCE], ids=["base", "datascience"])
def image(request: pytest.FixtureRequest) -> str:
    """Each notebook image in turn."""
    return str(request.param)


@pytest.fixture
def base() -> str:
    return BASE


@pytest.fixture
def datascience() -> str:
    return DATASCIENCE


@pytest.fixture
def containers() -> Iterator[Containers]:
    """Makes containers and volumes, and removes them after the test."""
    made = Containers()
    try:
        yield made
    finally:
        made.remove()
