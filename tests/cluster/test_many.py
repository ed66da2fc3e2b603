"""A hundred servers at once, on three nodes."""

import json
from collections.abc import Iterator

import pytest

from tests.support.cluster import Cluster
from tests.support.crowd import Crowd, Health, add_stand_in, crowd
from tests.support.site import fetch, wait_for

pytestmark = pytest.mark.long

SERVERS = 100
HUB_MIB = 300  # of memory, with that many servers


@pytest.fixture
def many(cluster: Cluster) -> Iterator[Crowd]:
    add_stand_in(cluster)
    with crowd(cluster.site, SERVERS) as many:
        yield many


def test_a_hundred_servers_come_and_go(cluster: Cluster, many: Crowd) -> None:
    """None fails, all nodes have some, and the hub answers all the time and stays small."""
    with Health(cluster.site) as health:
        many.come()
        used = cluster.hub_memory()
        on = {name: len(node["servers"]) for name, node in cluster.status().items()}
        for name in many.names:
            path = f"/user/{name}/api"
            assert fetch(cluster.site, path).status == 200, name
        many.go()
    assert sum(on.values()) == SERVERS
    assert min(on.values()) > 0, on
    assert used < HUB_MIB << 20
    assert set(health.statuses) == {200}
    wait_for("the end of all", lambda: not cluster.site.of_kind("server"))
    assert not cluster.site.of_kind("token")


def test_the_network_of_users_holds_more_than_254(cluster: Cluster) -> None:
    """An address is given before a place is found; a task without one has no state but New."""
    name, size = f"{cluster.site.name}-wide", 300
    cluster.docker(
        *(1, "service", "create", "--detach", "--name", name, "--replicas", str(size)),
        *("--network", f"{cluster.site.name}_users", "--endpoint-mode", "dnsrr"),
        *("--constraint", "node.labels.nowhere == true", "--no-resolve-image", "nothing"),
    )
    try:

        def addresses() -> set[str]:
            ids = cluster.docker(1, "service", "ps", "--quiet", "--no-trunc", name).split()
            tasks = json.loads(cluster.docker(1, "inspect", "--type", "task", *ids))
            return {
                address
                for task in tasks
                for attachment in task.get("NetworksAttachments") or ()
                for address in attachment["Addresses"]
            }

        wait_for("an address for each", lambda: len(addresses()) == size)
    finally:
        cluster.docker(1, "service", "rm", name)
