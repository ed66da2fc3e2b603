"""A node is lost with a server on it, and comes back."""

from collections.abc import Iterator

import pytest

from tests.support.cluster import Cluster
from tests.support.hub import User, user
from tests.support.site import wait_for


@pytest.fixture
def eve(cluster: Cluster) -> Iterator[User]:
    """A user whose server runs on node 2, with a file in the home."""
    with user(cluster.site, "eve") as eve:
        with cluster.only(2):
            service = eve.start(image="base", size="small")
        cluster.exec(2, service, "sh", "-c", "echo kept > /home/jovyan/file")
        yield eve


def where(cluster: Cluster, eve: User) -> list[int]:
    """Numbers of the nodes that are on and have a container of the user's server."""
    return [
        number
        for number, node in enumerate(cluster.nodes, 1)
        if node.is_on()
        for _ in cluster.containers(number, eve.service)
    ]


def test_a_lost_node_is_told_and_its_users_go_on_elsewhere(cluster: Cluster, eve: User) -> None:
    """It is cut off with its server running, as by a dead switch; the other half lives on."""
    lost = cluster.nodes[1]
    lost.unplug()
    wait_for("the loss of node-2", lambda: cluster.members()["node-2"] == "Down", 90)
    wait_for("the hub's word", lambda: not (eve.server() or {}).get("ready"), 60)
    assert "node-2, which is down" in eve.ended()
    wait_for("nothing to be left in the Swarm", lambda: not eve.objects())

    service = eve.start(image="base", size="small")
    (now,) = [number for number in where(cluster, eve) if number != 2]
    assert cluster.exec(now, service, "cat", "/home/jovyan/file") == "kept"

    lost.plug()
    wait_for("node-2", lambda: cluster.members()["node-2"] == "Ready", 90)
    wait_for("the end of the old server", lambda: where(cluster, eve) == [now], 90)
    assert (eve.server() or {})["ready"]
    assert cluster.exec(now, service, "cat", "/home/jovyan/file") == "kept"
    eve.stop()
    wait_for("nothing to be left anywhere", lambda: where(cluster, eve) == [])
