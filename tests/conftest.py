"""One site for all tests that need one; its state is shown when a test fails."""

from collections.abc import Collection, Generator, Iterator
from typing import Any

import pytest

from tests.support.airflow import switched_on
from tests.support.site import KEEP, Site, brought_up


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
    """Put together what has settings of its own, and last what needs Airflow.

    Each change takes a while; Airflow slows down all of them, and is switched on once.
    """
    items.sort(key=lambda item: ("with_airflow" in _fixtures(item), _changes_site(item)))


def _fixtures(item: pytest.Item) -> Collection[str]:
    return getattr(item, "fixturenames", ())


def _changes_site(item: pytest.Item) -> bool:
    return "with_airflow" in _fixtures(item) or item.get_closest_marker("changes_site") is not None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Spare the site to be put back as it was, where the next module changes it at once."""
    if site := getattr(item, "funcargs", {}).get("site"):
        ends = nextitem is None or nextitem.path != item.path
        site.is_changed_next = ends and (not KEEP if nextitem is None else _changes_site(nextitem))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Add the state of the site or the cluster to the report of a test that failed with it."""
    report = yield
    given = getattr(item, "funcargs", {})
    for name in ("site", "one_node"):
        if report.failed and name in given:
            report.sections.append((f"state of {name}", given[name].dump()))
    return report
