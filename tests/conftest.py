"""One site for all tests that need one; its state is shown when a test fails."""

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.support.airflow import switched_on
from tests.support.site import Site, brought_up


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A workbench that is up."""
    with brought_up(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="session")
def with_airflow(site: Site) -> Iterator[Site]:
    """The same with Airflow, and a plain DAG of each group in it."""
    with switched_on(site):
        yield site


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what needs Airflow last: it is switched on once, and slows down every change."""
    items.sort(key=lambda item: "with_airflow" in getattr(item, "fixturenames", ()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Add the state of the site or the cluster to the report of a test that failed with it."""
    report = yield
    given = getattr(item, "funcargs", {})
    for name in ("site", "one_node"):
        if report.failed and name in given:
            report.sections.append((f"state of {name}", given[name].dump()))
    return report
