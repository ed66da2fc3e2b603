"""One cluster for all tests of several nodes; its state is shown when a test fails."""

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.support.cluster import Cluster, brought_up


@pytest.fixture(scope="session")
def one_node() -> Iterator[Cluster]:
    """A workbench on the first of three nodes."""
    with brought_up() as cluster:
        yield cluster


@pytest.fixture
def cluster(one_node: Cluster) -> Cluster:
    """A workbench on three nodes, all of which take part, whatever a test before has done."""
    one_node.restore()
    return one_node


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Add the state of the cluster to the report of a test that failed with it."""
    report = yield
    cluster = getattr(item, "funcargs", {}).get("one_node")
    if report.failed and isinstance(cluster, Cluster):
        report.sections.append(("state of the cluster", cluster.dump()))
    return report
