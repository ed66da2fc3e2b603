"""Walls on a node that keeps nothing and has joined."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.support import scan
from tests.support.cluster import Cluster
from tests.support.hub import User, user


@pytest.fixture
def people(cluster: Cluster) -> Iterator[list[User]]:
    """A user with a server on node 2, and one with a server on node 3."""
    with ExitStack() as stack:
        found = [stack.enter_context(user(cluster.site, name)) for name in ("fay", "gus")]
        for number, someone in enumerate(found, 2):
            with cluster.only(number):
                someone.start(image="base", size="small")
        yield found


def test_a_server_on_another_node_is_walled_in(cluster: Cluster, people: list[User]) -> None:
    fay, gus = people
    first, second, third = (replace(cluster.site, engine=node.host) for node in cluster.nodes)
    services = {name: scan.address(first, name) for name in ("nginx", "hub", "proxy")}
    near = {
        *services.values(),
        scan.address(third, gus.service),
        *(node.address for node in cluster.nodes),
        *scan.of_node(*cluster.nodes[1].enter),
        *scan.on_bridge(second),
    } - scan.own_addresses(second, fay.service)
    port = cluster.site.port
    assert scan.scan(second, fay.service, near, {*scan.PORTS, port}) == {
        (services["nginx"], port, "tcp"),
        (services["hub"], 8081, "tcp"),
        # The site is opened by its address here, which leads to Nginx as well.
        (cluster.nodes[0].address, port, "tcp"),
    }
