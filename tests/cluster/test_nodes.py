"""Nodes join, do their part, and leave."""

import json
from typing import Any

from tests.support.cluster import Cluster
from tests.support.site import wait_for


def nodes(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """What `status --json` says of each node, by its name."""
    said = json.loads(cluster.notehive("status", "--json").stdout)
    return {node["name"]: node for node in said["nodes"]}


def test_what_is_printed_is_all_that_a_new_node_needs(cluster: Cluster) -> None:
    for number in (2, 3):
        if f"node-{number}" not in cluster.members():
            cluster.join(number)
    wait_for(
        "the image on every node",
        lambda: all(node["images"] == {"base": "present"} for node in nodes(cluster).values()),
        120,
    )
