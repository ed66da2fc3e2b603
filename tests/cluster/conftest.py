"""One cluster for all tests of several nodes."""

from collections.abc import Iterator

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
