"""Where the storage is, by the settings: volume, mounts of the stack, moving what was before."""

import os
from pathlib import Path
from typing import Any

import pytest

from notehive import docker, naming, shell
from notehive.errors import BadInput, NotehiveError
from notehive.hub.config import HubStorage
from notehive.platform import accounts, stack, storage
from notehive.settings import GIB, parse

LOCAL = "name: nh\n"
CLUSTER = "name: nh\nstorage: {path: /mnt/cluster/nh}\n"
OWN = "name: nh\nstorage: {kind: nfs}\n"
TEAM = "name: nh\nstorage: {kind: nfs, nfs: {server: nas, path: /export/nh, options: soft}}\n"
TEAM_MOUNT = "addr=nas,port=2049,nodev,nosuid,soft"
OWN_MOUNT = "addr=10.0.0.7,port=2049,nodev,nosuid,vers=4.2,hard,noatime"


@pytest.fixture
def volumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the engine's directory of volumes."""

    def inspect(kind: str, *names: str) -> list[dict[str, Any]]:
        assert kind == "volume"
        there = [name for name in names if (tmp_path / name).exists()]
        return [{"Name": name, "Mountpoint": str(tmp_path / name / "_data")} for name in there]

    def run(args: list[str], **options: Any) -> None:
        if args[1:3] == ["volume", "create"]:
            (tmp_path / args[-1] / "_data").mkdir(parents=True)
        elif args[1:3] == ["volume", "rm"]:
            (tmp_path / args[-1]).rmdir()
        else:
            assert args[1:] == ["service", "rm", "nh_hub"]
            (tmp_path / "the hub was stopped").touch()

    def output(*args: str) -> str:
        assert args == ("volume", "ls", "--quiet", "--filter", "name=nh-home-")
        return "\n".join(path.name for path in tmp_path.iterdir() if "nh-home-" in path.name)

    monkeypatch.setattr(docker, "client", lambda: "docker")
    monkeypatch.setattr(docker, "inspect", inspect)
    monkeypatch.setattr(docker, "output", output)
    monkeypatch.setattr(shell, "run", run)
    monkeypatch.setattr(os, "chown", lambda *args: None)  # the tests are not always root
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "root", "nfs"),
    [
        (LOCAL, "VOLUMES/nh_storage/_data", ""),
        (CLUSTER, "/mnt/cluster/nh", ""),
        (OWN, "", OWN_MOUNT),
        (TEAM, "/export/nh", TEAM_MOUNT),
    ],
)
def test_what_the_hub_is_told(settings: str, root: str, nfs: str, volumes: Path) -> None:
    storage.ensure(parse(settings))
    told = storage.location(parse(settings), "10.0.0.7")
    assert told == HubStorage(root=root.replace("VOLUMES", str(volumes)), nfs=nfs, quota=0)


@pytest.mark.parametrize(
    ("settings", "anywhere"), [(LOCAL, False), (CLUSTER, True), (OWN, True), (TEAM, True)]
)
def test_servers_run_where_their_homes_are(settings: str, anywhere: bool) -> None:
    on_data_node = ["node.labels.notehive.nh.data == true"]
    assert storage.constraints(parse(settings)) == ([] if anywhere else on_data_node)


@pytest.mark.parametrize(
    ("settings", "mount", "volume", "server"),
    [
        (LOCAL, "storage:/srv/storage", {"external", "name"}, False),
        (CLUSTER, "/mnt/cluster/nh:/srv/storage", set(), False),
        (OWN, "storage:/srv/storage", {"external", "name"}, True),
        (TEAM, "storage:/srv/storage:nocopy", {"driver_opts", "labels", "name"}, False),
    ],
)
def test_what_the_keeper_mounts(settings: str, mount: str, volume: set[str], server: bool) -> None:
    made = stack.wanted(parse(settings))
    assert made["services"]["storage"]["volumes"] == [mount]
    assert set(made["volumes"].get("storage", ())) == volume
    assert ("nfs" in made["services"]) == ("nfs" in made["volumes"]) == server
    assert ("nfs" in made["networks"]) == server


def test_the_keeper_of_a_teams_server_mounts_it() -> None:
    made = stack.wanted(parse(TEAM))["volumes"]["storage"]
    assert made["driver_opts"] == {"type": "nfs", "o": TEAM_MOUNT, "device": ":/export/nh"}
    other = stack.wanted(parse(TEAM.replace("soft", "hard")))["volumes"]["storage"]
    assert made["name"] != other["name"], "a node keeps a volume with its first options"
    assert made["name"].startswith("nh_storage-")


def test_homes_of_earlier_versions_are_moved(volumes: Path) -> None:
    for name in ("nh-home-ana-1", "nh-home-bob-2", "other-nh-home-eve-3"):
        home = volumes / name / "_data"
        home.mkdir(parents=True)
        (home / "notes").write_text(name)
    assert storage.ensure(parse(LOCAL)) == "made, moved 2 homes into it"
    homes = volumes / "nh_storage/_data/homes"
    assert (homes / "ana-1/notes").read_text() == "nh-home-ana-1"
    assert (homes / "bob-2/notes").read_text() == "nh-home-bob-2"
    assert not (volumes / "nh-home-ana-1").exists()
    assert (volumes / "other-nh-home-eve-3/_data/notes").exists(), "another stack's"
    assert (volumes / "the hub was stopped").exists()
    (volumes / "the hub was stopped").unlink()
    assert storage.ensure(parse(LOCAL)) == ""
    assert not (volumes / "the hub was stopped").exists()


def test_a_home_is_never_moved_over_another(volumes: Path) -> None:
    """One from a backup of an earlier version, beside the one of now."""
    storage.ensure(parse(LOCAL))
    homes = volumes / "nh_storage/_data/homes"
    for home in (homes / "ana-1", volumes / "nh-home-ana-1/_data"):
        home.mkdir(parents=True)
        (home / "notes").write_text(str(home))
    assert storage.ensure(parse(LOCAL)) == ""
    for home in (homes / "ana-1", volumes / "nh-home-ana-1/_data"):
        assert (home / "notes").read_text() == str(home)


def test_a_directory_must_be_there_and_ours(tmp_path: Path) -> None:
    settings = parse(f"storage: {{path: {tmp_path}/gone}}")
    with pytest.raises(BadInput, match="gone: no such directory on this machine; mount it first"):
        storage.require_usable(settings)
    settings = parse("storage: {path: /usr}")
    with pytest.raises(BadInput, match=r"should belong to the user.*; `chown 1000:100 /usr`"):
        storage.require_usable(settings)


@pytest.mark.parametrize(
    ("kernel", "modules", "can"),
    [
        ("nodev\tnfs4\n\text4\n", None, True),
        ("\text4\n", "kernel/fs/nfs/nfsv4.ko.xz: kernel/fs/nfs/nfs.ko.xz\n", True),
        ("\text4\n", "kernel/fs/ext4/ext4.ko:\n", False),
        ("\text4\n", None, False),
    ],
)
def test_a_kernel_without_nfs_is_noticed(
    kernel: str, modules: str | None, can: bool, tmp_path: Path
) -> None:
    (tmp_path / "filesystems").write_text(kernel)
    if modules is not None:
        (tmp_path / "modules.dep").write_text(modules)
    assert storage.has_nfs_client(tmp_path / "filesystems", tmp_path) is can


def test_homes_with_their_users(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = parse("name: nh\nstorage: {quota: 10G}\ngroups: {risk: {quota: 20G}}")
    users = [{"name": "ana", "groups": ["risk"]}, {"name": "bob", "groups": []}]
    monkeypatch.setattr(accounts, "ask", lambda *args: {"users": users})
    ana, bob = (naming.home(name).removeprefix("homes/") for name in ("ana", "bob"))
    used = {"gone-1": 1, ana: 3, bob: 2}
    assert storage.homes(settings, used) == [
        {"user": "ana", "home": ana, "used": 3, "quota": 20 * GIB},
        {"user": "bob", "home": bob, "used": 2, "quota": 10 * GIB},
        {"user": "", "home": "gone-1", "used": 1, "quota": 10 * GIB},
    ]

    def away(*args: Any) -> None:
        raise NotehiveError("the hub is away")

    monkeypatch.setattr(accounts, "ask", away)
    assert [home["used"] for home in storage.homes(settings, used)] == [3, 2, 1]
