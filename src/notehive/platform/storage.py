"""Where homes and shared folders are kept: the volume, how the stack and the nodes mount it."""

import os
import platform
from pathlib import Path
from typing import Any

from notehive import docker, naming, shell
from notehive.errors import BadInput
from notehive.hub.config import HubStorage
from notehive.platform import swarm
from notehive.settings import Settings, Storage

OWNER = 1000, 100  # user and group of notebook servers; the keeper is the same user
MODULES = Path("/lib/modules", platform.release())  # of this machine's kernel
KEEPER_ROOT = "/srv/storage"  # where the service `storage` sees the root


def volume(stack: str) -> str:
    """Name of the volume that is the root, unless the settings name another place."""
    return f"{stack}_storage"


def is_volume(storage: Storage) -> bool:
    """Whether the root is a volume of the data node: Notehive's NFS server serves it too."""
    return not storage.path and not storage.nfs.server


def has_server(storage: Storage) -> bool:
    """Whether Notehive's own NFS server is wanted."""
    return storage.kind == "nfs" and not storage.nfs.server


def constraints(settings: Settings) -> list[str]:
    """Give the Swarm's placement constraints of users' servers: where their homes can be had."""
    if settings.storage.kind == "local" and is_volume(settings.storage):
        return [f"node.labels.{swarm.data_label(settings.name)} == true"]
    return []


def nfs_options(storage: Storage, data_node: str) -> str:
    """Give the options with which every node mounts the NFS server."""
    nfs = storage.nfs
    return f"addr={nfs.server or data_node},port={nfs.port},nodev,nosuid,{nfs.options}"


def location(settings: Settings, data_node: str) -> HubStorage:
    """Give what the hub is told; ``data_node`` is that node's address. The volume is there."""
    storage = settings.storage
    if storage.kind == "nfs":
        root, nfs = storage.nfs.path, nfs_options(storage, data_node)
    else:
        root, nfs = storage.path or str(mountpoint(volume(settings.name))), ""
    return HubStorage(root=root, nfs=nfs, quota=storage.quota)


def adapt(stack: dict[str, Any], settings: Settings) -> None:
    """Let the keeper of a stack file have the root that the settings name."""
    storage = settings.storage
    keeper = stack["services"]["storage"]
    if storage.path:
        keeper["volumes"] = [f"{storage.path}:{KEEPER_ROOT}"]
    elif not is_volume(storage):
        options = {
            "type": "nfs",
            "o": nfs_options(storage, ""),
            "device": f":{storage.nfs.path}",
        }
        stack["volumes"]["storage"] = {
            "name": f"{volume(settings.name)}-{naming.options_digest(options)}",
            "driver_opts": options,
            "labels": {"notehive.stack": "$STACK"},
        }
        keeper["volumes"] = [f"storage:{KEEPER_ROOT}:nocopy"]


def require_usable(settings: Settings) -> str:
    """Say where the storage is; raise BadInput if its directory is not there."""
    storage = settings.storage
    if storage.kind == "nfs":
        server = storage.nfs.server or "Notehive's own server"
        missing = "" if has_nfs_client() else "; this machine's kernel has no NFS client"
        return f"NFS, {server}{missing}"
    if not storage.path:
        return "on the data node"
    path = Path(storage.path)
    if not path.is_dir():
        raise BadInput(f"storage.path: {path}: no such directory on this machine; mount it first")
    if path.stat().st_uid != OWNER[0]:
        raise BadInput(
            f"storage.path: {path}: should belong to the user of notebook servers; "
            f"`chown {OWNER[0]}:{OWNER[1]} {path}`"
        )
    return f"{path}, which every node has"


def has_nfs_client(kernel: Path = Path("/proc/filesystems"), modules: Path = MODULES) -> bool:
    """Whether this kernel mounts NFS now, or has a module for it."""
    listed = (modules / "modules.dep", modules / "modules.builtin")
    return "\tnfs4\n" in kernel.read_text() or any(
        "/nfsv4.ko" in path.read_text() for path in listed if path.exists()
    )


def ensure(settings: Settings) -> str:
    """Make the volume, unless it is there or not wanted; move homes of earlier versions into it.

    Gives what was done. Runs on the data node.
    """
    stack = settings.name
    if not is_volume(settings.storage):
        return ""
    done = []
    if not docker.inspect("volume", volume(stack)):
        labels = docker.labels({"notehive.stack": stack})
        shell.run(docker.command("volume", "create", *labels, volume(stack)))
        done.append("made")
    root = mountpoint(volume(stack))
    os.chown(root, *OWNER)
    root.chmod(0o711)
    if moved := move_old_homes(stack, root):
        done.append(f"moved {moved} homes into it")
    return ", ".join(done)


def mountpoint(name: str) -> Path:
    """Give the directory of a volume of this node."""
    return Path(docker.inspect("volume", name)[0]["Mountpoint"])


def move_old_homes(stack: str, root: Path) -> int:
    """Move each home that is a volume of its own, as earlier versions had it; say how many.

    A rename, so that nothing is copied, a running server goes on, and an interruption leaves
    each home in one of both places. The hub is away meanwhile: it could start a server with the
    volume that has just been emptied.
    """
    prefix = f"{stack}-home-"
    names = docker.output("volume", "ls", "--quiet", "--filter", f"name={prefix}").split()
    old = {
        Path(each["Mountpoint"]): each["Name"].removeprefix(prefix)
        for each in docker.inspect("volume", *names)
        if each["Name"].startswith(prefix)
    }
    homes = root / "homes"
    waiting = [path for path, name in old.items() if path.exists() and not (homes / name).exists()]
    if waiting:
        shell.run(docker.command("service", "rm", f"{stack}_hub"), check=False)
        homes.mkdir(mode=0o711, exist_ok=True)
        os.chown(homes, *OWNER)
    for path in waiting:
        path.rename(homes / old[path])
    for path, name in old.items():
        # One that a running server still holds goes with a later `up`; it is empty by now.
        if not path.exists():
            shell.run(docker.command("volume", "rm", prefix + name), check=False)
    return len(waiting)
