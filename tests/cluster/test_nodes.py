"""Nodes join, do their part, are lost, and leave."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cluster import Cluster
from tests.support.hub import User, user
from tests.support.node import Node
from tests.support.site import ROOT, run, wait_for


def forwarders(cluster: Cluster) -> dict[str, str]:
    """Id of the image that each node's forwarder runs, by the node's name."""
    name = f"{cluster.site.name}_registry-forwarder"
    found = {}
    for node in filter(Node.is_on, cluster.nodes):
        for container in node.docker(
            *("ps", "--quiet", "--filter", f"label=com.docker.swarm.service.name={name}"),
            *("--filter", "health=healthy"),
        ).split():
            found[node.name] = node.docker("inspect", "--format", "{{.Image}}", container)
    return found


def current(cluster: Cluster) -> str:
    """Id of the forwarder's image on the node that made it."""
    port = cluster.site.settings["network"]["registry_port"]
    image = f"127.0.0.1:{port}/notehive/forwarder:current"
    return cluster.docker(1, "image", "inspect", "--format", "{{.Id}}", image)


def test_what_is_printed_is_all_that_a_new_node_needs(cluster: Cluster) -> None:
    """The fixture has typed it: the nodes run the forwarder, and have the notebook image."""
    said = cluster.status()
    assert set(said) == {"node-1", "node-2", "node-3"}
    for node in said.values():
        assert (node["state"], node["forwarder"]) == ("ready", "running")
        assert set(node["images"].values()) == {"present"}
        assert node["address"].startswith("198.18.")
    assert [name for name, node in said.items() if node["data"]] == ["node-1"]
    assert set(forwarders(cluster).values()) == {current(cluster)}
    listed = cluster.notehive("node", "list").stdout
    assert all(node.address in listed for node in cluster.nodes)


def test_the_archive_is_for_those_who_know_its_digest(cluster: Cluster) -> None:
    site = f"http://{cluster.site.address}:{cluster.site.port}"
    for path in ("/node/", "/node/0.tar", "/node/../nginx.conf", "/node../conf.d/"):
        code = run(
            *("curl", "--silent", "--path-as-is", "--output", "/dev/null"),
            *("--write-out", "%{http_code}", site + path),
        ).stdout
        assert code in ("400", "403", "404"), path


@pytest.fixture
def upgraded(cluster: Cluster, tmp_path: Path) -> Iterator[list[str]]:
    """Command before which another version of the clone is seen; the old one is back afterwards."""
    file = ROOT / "nginx/_starting.html"
    changed = tmp_path / file.name
    changed.write_text(file.read_text() + "<!-- newer -->\n")
    script = 'mount --bind "$0" "$1" && shift && exec "$@"'
    yield ["unshare", "--mount", "sh", "-c", script, str(changed), str(file)]
    cluster.up()
    wait_for("the old forwarder", lambda: set(forwarders(cluster).values()) == {current(cluster)})


@pytest.mark.long
def test_an_upgrade_reaches_nodes_and_those_that_are_away_take_part_again(
    cluster: Cluster, upgraded: list[str]
) -> None:
    """A newer forwarder is pulled through the older; who missed that goes on with the older."""
    before = current(cluster)
    away = cluster.nodes[2]
    away.unplug()
    away.kill()
    wait_for("the loss of node-3", lambda: cluster.members()["node-3"] == "Down", 90)
    told = cluster.notehive("status", check=False)
    assert told.returncode == 1
    assert "node node-3 is down" in told.stdout

    cluster.up(*upgraded)
    newer = current(cluster)
    assert newer != before
    wait_for(
        "the newer forwarder",
        lambda: forwarders(cluster) == {"node-1": newer, "node-2": newer},
    )

    away.plug()
    away.start()
    wait_for("node-3", lambda: cluster.members()["node-3"] == "Ready")
    wait_for("its forwarder", cluster.is_complete)
    assert forwarders(cluster)["node-3"] == before
    # It can pull: what was made while it was away, too.
    port = cluster.site.settings["network"]["registry_port"]
    away.docker("pull", f"127.0.0.1:{port}/notehive/forwarder:current")


@pytest.mark.parametrize("verb", ["drain", "remove"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("node-9", "node-9: no such node; there are node-1, node-2, node-3"),
        ("node-1", "node-1: keeps the data"),
    ],
)
def test_what_cannot_be_taken_away(cluster: Cluster, verb: str, name: str, said: str) -> None:
    done = cluster.notehive("node", verb, name, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.fixture
def ana(cluster: Cluster) -> Iterator[User]:
    """A user whose server runs on node 2."""
    with user(cluster.site, "ana") as ana:
        with cluster.only(2):
            ana.start(image="base", size="small")
        yield ana
    cluster.notehive("node", "drain", "node-2", "--undo")


def test_a_drained_node_is_empty_and_its_users_go_on_elsewhere(cluster: Cluster, ana: User) -> None:
    before = cluster.status()["node-2"]
    assert before["servers"] == ["ana"]
    assert before["reserved"]["memory"] > 0
    cluster.exec(2, ana.service, "sh", "-c", "echo kept > /home/jovyan/file")

    asked = cluster.notehive("node", "drain", "node-2", check=False)
    assert asked.returncode == 1
    refused = cluster.notehive("node", "remove", "node-2", check=False)
    assert refused.returncode == 2
    for done in (asked, refused):
        assert "the servers of ana end" in done.stdout + done.stderr
    assert cluster.status()["node-2"]["servers"] == ["ana"]

    cluster.notehive("node", "drain", "node-2", "--yes")
    after = cluster.status()["node-2"]
    assert (after["availability"], after["servers"]) == ("drain", [])
    wait_for("the hub's word", lambda: not (ana.server() or {}).get("ready"))
    wait_for("the end of ana's server", lambda: not ana.objects())

    ana.start(image="base", size="small")
    (number,) = [n for n in (1, 3) if cluster.status()[f"node-{n}"]["servers"] == ["ana"]]
    assert cluster.exec(number, ana.service, "cat", "/home/jovyan/file") == "kept"


def test_a_removed_node_is_gone_and_can_come_back(cluster: Cluster) -> None:
    said = cluster.notehive("node", "remove", "node-2").stdout
    assert "docker swarm leave" in said
    assert "node-2" not in cluster.members()
    cluster.docker(2, "swarm", "leave", "--force")
    cluster.restore()
    assert cluster.members()["node-2"] == "Ready"


@pytest.mark.long
def test_a_dead_node_is_removed(cluster: Cluster) -> None:
    dead = cluster.nodes[2]
    dead.unplug()
    dead.kill()
    wait_for("its loss", lambda: cluster.members()["node-3"] == "Down", 90)
    cluster.notehive("node", "remove", "node-3")
    assert "node-3" not in cluster.members()
    assert cluster.notehive("status").returncode == 0
    dead.start()
    dead.docker("swarm", "leave", "--force")
