"""Homes and shared folders as servers mount them, and quotas. The keeper is a stand-in."""

import asyncio
from typing import Any

import pytest
from docker.types import Mount
from tornado.web import HTTPError

from notehive import naming
from notehive.hub import keeper, storage
from notehive.hub.config import HubConfig, HubStorage
from notehive.hub.spawner import NotehiveSpawner
from notehive.settings import GIB, home_quota
from tests.unit.conftest import hub_config
from tests.unit.test_spawner import make

GROUPS = """
sizes:
  large: {limit: {cpu: 8, memory: 32G}}
  small: {limit: {cpu: 1, memory: 1G}}
  tiny: {limit: {cpu: 0.5, memory: 1G}}
groups:
  risk: {quota: 80G}
  fraud: {shared: none}
  public: {shared: everyone}
storage: {quota: 50G}
"""
ANA = naming.home("ana")
NFS = "addr=10.0.0.7,port=2049,nodev,nosuid,vers=4.2,hard"


def config(root: str = "/srv", nfs: str = "") -> HubConfig:
    place = HubStorage(root=root, nfs=nfs, quota=50 * GIB)
    return hub_config(GROUPS).model_copy(update={"storage": place})


@pytest.mark.parametrize(
    ("groups", "shared"),
    [
        (set(), {"/shared/public": True}),
        ({"risk"}, {"/shared/risk": False, "/shared/public": True}),
        ({"public", "fraud"}, {"/shared/public": False}),
        ({"unknown"}, {"/shared/public": True}),
    ],
)
def test_who_sees_which_folder(groups: set[str], shared: dict[str, bool]) -> None:
    home, *others = storage.mounts(config(), "ana", groups)
    assert (home["Target"], home["Source"]) == ("/home/jovyan", f"/srv/{ANA}")
    assert {each["Target"]: each["ReadOnly"] for each in others} == shared
    assert not home["ReadOnly"]


def test_a_directory_of_the_node_is_bound() -> None:
    home, risk, _ = storage.mounts(config(), "ana", {"risk"})
    assert home == Mount("/home/jovyan", f"/srv/{ANA}", type="bind")
    assert risk == Mount("/shared/risk", "/srv/shared/risk", type="bind")


def test_nfs_is_mounted_by_the_node() -> None:
    home, risk, _ = storage.mounts(config("/export", NFS), "ana", {"risk"})
    name = home["Source"]
    assert name.startswith("notehive-homes-ana-")
    assert home == {
        "Target": "/home/jovyan",
        "Source": name,
        "Type": "volume",
        "ReadOnly": False,
        "VolumeOptions": {
            "NoCopy": True,
            "Labels": {"notehive.stack": "notehive", "notehive.kind": "mount"},
            "DriverConfig": {
                "Name": "local",
                "Options": {"type": "nfs", "o": NFS, "device": f":/export/{ANA}"},
            },
        },
    }
    assert risk["VolumeOptions"]["DriverConfig"]["Options"]["device"] == ":/export/shared/risk"


def test_a_volume_with_other_options_has_another_name() -> None:
    """Or the node would go on with the options of its first use."""
    places = [("/", NFS), ("/export", NFS), ("/", NFS.replace("hard", "soft")), ("/", NFS)]
    names = [storage.mounts(config(*place), "ana", set())[0]["Source"] for place in places]
    assert names[0] == names[3]
    assert len(set(names)) == 3


def test_everybody_is_in_the_group_everyone() -> None:
    told = hub_config("groups: {everyone: {quota: 9G}}\nstorage: {quota: 5G}")
    assert not storage.mounts(told, "ana", set())[1]["ReadOnly"]
    assert home_quota(told.storage.quota, told.groups, set()) == 9 * GIB


# The quota


class StandInKeeper:
    """A stand-in for the keeper: what was last measured, and what is there now (GiB)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.last, self.now = 0, 0
        self.made: list[str] = []
        for name in ("make", "used", "measure"):
            monkeypatch.setattr(keeper, name, getattr(self, name))

    async def make(self, path: str) -> None:
        self.made.append(path)

    async def used(self, path: str) -> int:
        assert path == ANA
        return self.last * GIB

    async def measure(self, path: str) -> int:
        assert path == ANA
        self.last = self.now
        return self.now * GIB


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> StandInKeeper:
    return StandInKeeper(monkeypatch)


def start(spawner: NotehiveSpawner, size: str) -> None:
    spawner.user_options = {"size": size, "image": "datascience"}
    spawner.apply_choice()
    asyncio.run(spawner.prepare_storage())


def spawner(*groups: str) -> NotehiveSpawner:
    found = make(groups=groups)
    found.platform = config()
    return found


@pytest.mark.parametrize("size", ["large", "small", "tiny"])
def test_what_a_server_mounts_is_made_first(kept: StandInKeeper, size: str) -> None:
    start(spawner("risk"), size)
    assert kept.made == [ANA, "shared/risk", "shared/public"]


@pytest.mark.parametrize("size", ["large", "small"])
def test_over_quota_only_the_smallest_starts(kept: StandInKeeper, size: str) -> None:
    kept.last = kept.now = 61
    with pytest.raises(HTTPError) as raised:
        start(spawner(), size)
    assert raised.value.status_code == 400
    assert "Your home holds 61GB of 50GB" in raised.value.jupyterhub_message
    assert "That is tiny." in raised.value.jupyterhub_message
    assert "Your home holds 61GB of 50GB" in asyncio.run(spawner().form())
    start(spawner(), "tiny")
    start(spawner("risk"), size)  # whose members may have 80


def test_what_has_been_deleted_counts_at_once(kept: StandInKeeper) -> None:
    kept.last, kept.now = 61, 10
    start(spawner(), "large")
    kept.last = 61
    assert "Your home" not in asyncio.run(spawner().form())


def test_without_a_quota_nothing_is_refused(kept: StandInKeeper) -> None:
    kept.last = kept.now = 10**6
    unlimited = spawner()
    unlimited.platform = unlimited.platform.model_copy(
        update={"storage": HubStorage(root="/srv", nfs="", quota=0)}
    )
    start(unlimited, "large")


def test_a_keeper_that_is_away_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*args: Any) -> None:
        raise keeper.KeeperError("The storage is away.")

    for name in ("make", "used"):
        monkeypatch.setattr(keeper, name, away)
    with pytest.raises(HTTPError) as raised:
        start(spawner(), "small")
    assert (raised.value.status_code, raised.value.jupyterhub_message) == (
        503,
        "The storage is away.",
    )
    form = asyncio.run(spawner().form())
    assert "The storage is away." in form
    assert 'name="size"' in form
