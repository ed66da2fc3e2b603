"""What a real Swarm says of starts that cannot succeed, and what is made of it."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from docker.types import Mount
from tornado.web import HTTPError

from notehive.hub import service
from notehive.hub.engine import Engine
from notehive.hub.room import Need
from notehive.hub.said import Said
from notehive.hub.starting import Start
from notehive.hub.stopping import gone
from notehive.hub.watch import Watch
from tests.support.site import Site, docker

GIB = 2**30
AMOUNTS = service.Amounts(cpu=0.1, memory=GIB // 4, pids=64, reserved_cpu=0, reserved_memory=0)


class Attempt:
    """A service that is made as a server's is, by the spawner's own parts, without a hub."""

    def __init__(self, site: Site, network: str) -> None:
        self.network, self.name = network, f"{site.name}-attempt"
        self.image = site.image("notebooks-base")
        self.watch = Watch(Engine(), site.name)

    def run(self, *, name: str = "", **changes: Any) -> None:
        """Make it and follow it until it runs or cannot."""
        asyncio.run(asyncio.wait_for(self._run(name or self.name, changes), 60))

    async def _run(self, name: str, changes: dict[str, Any]) -> None:
        told: dict[str, Any] = {
            "name": name,
            "image": self.image,
            "args": ["sleep", "inf"],
            "env": {},
            "labels": {},
            "mounts": [],
            "secrets": [],
            "configs": [],
            "amounts": AMOUNTS,
            "network": self.network,
            "constraints": [],
            "extra": service.Extra(),
            **changes,
        }
        self.watch = Watch(Engine(), name)  # of this loop
        request = service.build(**told)
        created = await self.watch.engine.call("create_service", **request)
        need = Need.of(request["task_template"])
        start = Start(self.watch, Said(), name, created["ID"], "base", self.network, need)
        await start.placed()


@pytest.fixture
def attempt(site: Site) -> Iterator[Attempt]:
    """An attempt on the site's network of users' servers."""
    attempt = Attempt(site, f"{site.name}_users")
    yield attempt
    remove(attempt.name)


def remove(name: str) -> None:
    docker("service", "rm", name, check=False)
    asyncio.run(gone(Watch(Engine(), name), name))


def refused(attempt: Attempt, **changes: Any) -> str:
    with pytest.raises(HTTPError) as raised:
        attempt.run(**changes)
    return str(raised.value.jupyterhub_message)


MISSING = Mount("/data", "/nowhere/at/all", type="bind")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mounts": [MISSING]}, "refused a folder of the server"),
        ({"image": "127.0.0.1:1/notehive/nothing:1"}, "cannot be pulled there"),
        (
            {"constraints": ["node.labels.nobody == has-this"]},
            "no node of the Swarm satisfies node.labels.nobody == has-this",
        ),
        (
            {"amounts": service.Amounts(1, 4096 * GIB, 64, 0, 4096 * GIB)},
            "no node is large enough: 4 TB of memory",
        ),
        ({"amounts": service.Amounts(1, GIB, 64, 0, 0, {"gpu": 1})}, "1 gpu must be free"),
    ],
)
def test_refused_in_words(attempt: Attempt, changes: dict[str, Any], words: str) -> None:
    assert words in refused(attempt, **changes)


def test_one_that_can_runs(attempt: Attempt) -> None:
    attempt.run()


@pytest.fixture
def small_network(site: Site) -> Iterator[str]:
    """An overlay network with eight addresses."""
    name = f"{site.name}-small"
    docker("network", "create", "--driver", "overlay", "--subnet", "10.254.77.0/29", name)
    yield name
    docker("network", "rm", name)


@pytest.mark.long
def test_a_network_without_addresses_is_named(site: Site, small_network: str) -> None:
    attempt = Attempt(site, small_network)
    names = [f"{attempt.name}-{number}" for number in range(8)]
    try:
        with pytest.raises(HTTPError) as raised:
            for name in names:
                attempt.run(name=name)
        message = raised.value.jupyterhub_message
        assert "network of users' servers is full: its 8 addresses are taken" in message
    finally:
        for name in names:
            remove(name)
