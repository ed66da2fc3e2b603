"""An operator's own configuration of JupyterHub, in hub/jupyterhub_config.d/."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from notehive import naming
from tests.support.hub import User, user
from tests.support.site import ROOT, Site, docker, wait_for

pytestmark = pytest.mark.long

OWN = """
from docker.types import SecretReference

c.SwarmSpawner.environment = {"COLOUR": "blue", "PIP_INDEX_URL": "https://index.invalid/simple"}
c.SwarmSpawner.mem_limit = lambda spawner: "768M" if spawner.user.name == "ana" else "640M"
c.SwarmSpawner.cpu_limit = 0.75
c.SwarmSpawner.volumes = {"%(name)s-own-{username}": "/scratch"}
c.SwarmSpawner.read_only_volumes = {"/usr/share": "/reference"}
c.SwarmSpawner.mounts = [{"type": "tmpfs", "source": "", "target": "/quick"}]
c.SwarmSpawner.extra_placement_spec = {"constraints": ["node.platform.os == linux"]}
c.SwarmSpawner.extra_resources_spec = {"mem_reservation": 96 * 2**20}
c.SwarmSpawner.extra_container_spec = {
    "hostname": "lab",
    "labels": {"team": "risk"},
    "secrets": [SecretReference("%(secret)s", "%(name)s-own")],
}
c.SwarmSpawner.extra_create_kwargs = {"labels": {"owner": "{username}"}}


def stray(spawner):
    if spawner.user.name == "bea":
        spawner.volumes = {"/etc": "/host"}


c.Spawner.pre_spawn_hook = stray
"""


@pytest.fixture(scope="module")
def own(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site with such a file: in a view of the clone, which itself is not touched."""
    secret = docker("secret", "create", f"{site.name}-own", "-", stdin="hush")
    directory = tmp_path_factory.mktemp("jupyterhub_config.d")
    (directory / "10-own.py").write_text(OWN % {"name": site.name, "secret": secret})
    script = 'mount --bind "$0" "$1" && shift && exec "$@"'
    place = ROOT / "hub/jupyterhub_config.d"
    see = ("unshare", "--mount", "sh", "-c", script, str(directory), str(place))
    named = {"mounts": ["/usr/share", f"{site.name}-own-*:rw"], "secrets": [f"{site.name}-own"]}
    try:
        replace(site, enter=see, settings={**site.settings, "own_config": named}).up()
        yield site
    finally:
        site.up()
        docker("secret", "rm", secret)


@pytest.fixture(scope="module")
def ana(own: Site) -> Iterator[User]:
    with user(own, "ana") as ana:
        yield ana
    volume = f"{own.name}-own-ana"
    wait_for("the end of its container", lambda: docker("volume", "rm", volume, check=False))


@pytest.fixture(scope="module")
def service(ana: User) -> dict[str, Any]:
    """What the Swarm was asked for: ana's server, which is ready."""
    (found,) = json.loads(docker("service", "inspect", ana.start(image="base", size="small")))
    spec: dict[str, Any] = found["Spec"]
    return spec


def test_what_it_says_holds(service: dict[str, Any]) -> None:
    template = service["TaskTemplate"]
    resources = template["Resources"]
    assert resources["Limits"]["MemoryBytes"] == 768 * 2**20
    assert resources["Limits"]["NanoCPUs"] == 75 * 10**7
    assert resources["Reservations"]["MemoryBytes"] == 96 * 2**20
    assert "node.platform.os == linux" in template["Placement"]["Constraints"]
    assert service["Labels"]["owner"] == "ana"
    assert template["ContainerSpec"]["Labels"]["team"] == "risk"


def test_what_it_does_not_name_stays(own: Site, service: dict[str, Any]) -> None:
    template = service["TaskTemplate"]
    container = template["ContainerSpec"]
    assert template["Resources"]["Limits"]["Pids"] > 0
    assert container["CapabilityDrop"] == ["ALL"]
    for labels in (service["Labels"], container["Labels"]):
        assert labels["notehive.stack"] == own.name
        assert labels["notehive.user"] == "ana"
    homes = [mount["Source"] for mount in container["Mounts"] if mount["Target"] == "/home/jovyan"]
    assert [Path(home).name for home in homes] == [Path(naming.home("ana")).name]


def test_its_server_has_it(own: Site, ana: User, service: dict[str, Any]) -> None:
    def sh(script: str) -> str:
        return own.exec(ana.service, "sh", "-c", script)

    assert sh("echo $COLOUR $PIP_INDEX_URL") == "blue https://index.invalid/simple"
    assert sh("hostname") == "lab"
    assert sh(f"cat /run/secrets/{own.name}-own") == "hush"
    assert sh("df --output=target /scratch /reference /quick /dev/shm | tail -n +2").split() == [
        "/scratch",
        "/reference",
        "/quick",
        "/dev/shm",
    ]
    assert sh("touch /reference/x 2>&1 || true").endswith("Read-only file system")
    assert sh("df --output=size -k /dev/shm | tail -n 1").strip() == str(384 * 2**10)


def test_the_hub_still_knows_it(ana: User, service: dict[str, Any]) -> None:
    """By labels of ours: asked for the server again, the hub looks whether it runs."""
    again = ana.call("POST", f"/users/{ana.name}/server", {"image": "base", "size": "small"})
    assert "already running" in json.loads(again.body)["message"], again
    ana.stop()


def test_what_the_settings_do_not_name_is_refused(own: Site) -> None:
    """In words that name the setting, and nothing is left of the attempt."""
    with user(own, "bea") as bea:
        answer = bea.call("POST", "/users/bea/server", {"image": "base", "size": "small"})
        assert answer.status == 503
        message = json.loads(answer.body)["message"]
        assert "/etc at /host" in message and "own_config.mounts" in message
        wait_for("the end of the attempt", lambda: not bea.objects())
