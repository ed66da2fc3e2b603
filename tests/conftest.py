"""One site for all tests that need one; its state is shown when a test fails."""

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.support.site import Site, brought_up


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A workbench that is up."""
    with brought_up(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Add the state of the site to the report of a test that failed with it."""
    report = yield
    site = getattr(item, "funcargs", {}).get("site")
    if report.failed and isinstance(site, Site):
        report.sections.append(("state of the site", site.dump()))
    return report
