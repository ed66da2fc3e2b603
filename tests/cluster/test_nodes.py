"""Nodes join, do their part, and leave."""

from tests.support.cluster import Cluster


def test_it_is_up(cluster: Cluster) -> None:
    assert cluster.members()
