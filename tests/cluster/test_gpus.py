"""Sizes with GPUs, which are made up: the Swarm counts and gives them, whatever they are."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.cluster import Cluster
from tests.support.hub import User, user
from tests.support.site import wait_for

pytestmark = pytest.mark.long

LIMIT = {"limit": {"cpu": 0.5, "memory": "512M"}, "guarantee": {"cpu": 0.01, "memory": "64M"}}
SIZES = {
    "counted": {**LIMIT, "gpu": 1},
    "one": {**LIMIT, "gpu": 1, "gpu_kind": "NVIDIA-GPU"},
    "both": {**LIMIT, "gpu": 2, "gpu_kind": "NVIDIA-GPU"},
    "three": {**LIMIT, "gpu": 3, "gpu_kind": "NVIDIA-GPU"},
}


@pytest.fixture
def ana(cluster: Cluster) -> Iterator[User]:
    """A user, on a workbench with sizes that have GPUs."""
    if not SIZES.items() <= cluster.settings["sizes"].items():
        cluster.settings["sizes"] |= SIZES
        cluster.up()
    wait_for("what holds the users' network", lambda: is_held(cluster))
    with user(cluster.site, "ana") as ana:
        yield ana


def is_held(cluster: Cluster) -> bool:
    """Whether every node is on the users' network, with servers there or without."""
    holder = f"{cluster.site.name}_network-holder"
    return all(cluster.containers(number, holder) for number in (1, 2, 3))


def given(cluster: Cluster, number: int, service: str) -> dict[str, str]:
    """What the Swarm tells a server, which runs on this node, of the GPUs that it has."""
    env = cluster.exec(number, service, "env").splitlines()
    found = [line.partition("=") for line in env if line.startswith("DOCKER_RESOURCE_")]
    return {name: value for name, _, value in found}


@pytest.mark.parametrize(
    ("size", "node", "variable", "value"),
    [
        ("both", 2, "DOCKER_RESOURCE_NVIDIA-GPU", {"made-up-0", "made-up-1"}),
        ("counted", 3, "DOCKER_RESOURCE_GPU", {"1"}),
    ],
)
def test_a_server_is_where_its_gpus_are_and_is_told_which(
    cluster: Cluster, ana: User, size: str, node: int, variable: str, value: set[str]
) -> None:
    told = given(cluster, node, ana.start(image="base", size=size))
    assert list(told) == [variable]
    assert set(told[variable].split(",")) == value


def test_more_than_any_node_has_are_refused(ana: User) -> None:
    answer = ana.call("POST", f"/users/{ana.name}/server", {"image": "base", "size": "three"})
    assert answer.status == 409, answer
    assert (
        "3 NVIDIA-GPU must be free for this size, and the largest node has 2 NVIDIA-GPU"
        in (json.loads(answer.body)["message"])
    )
    assert ana.objects() == []


def test_who_comes_when_all_are_taken_is_told_and_has_the_next_free_one(
    cluster: Cluster, ana: User
) -> None:
    first = ana.start(image="base", size="one")
    with user(cluster.site, "ben") as ben, user(cluster.site, "cleo") as cleo:
        second = ben.start(image="base", size="one")
        taken = {service: given(cluster, 2, service) for service in (first, second)}
        assert {each["DOCKER_RESOURCE_NVIDIA-GPU"] for each in taken.values()} == {
            "made-up-0",
            "made-up-1",
        }
        with ThreadPoolExecutor() as pool:
            third = pool.submit(cleo.start, image="base", size="one")
            wait_for("the third's start", cleo.server)
            told = cleo.told()
            assert "Waiting: no node has 1 NVIDIA-GPU free; 3 nodes checked" in told
            ana.stop()
            assert "Placed on node-2" in told
            assert given(cluster, 2, third.result()) == taken[first]
