"""How nodes mount directories of the storage into containers."""

from typing import NamedTuple

from docker.types import DriverConfig, Mount

from notehive import naming
from notehive.hub.config import HubConfig


class Directory(NamedTuple):
    """A directory below the storage's root, as a container has it."""

    path: str
    target: str
    read_only: bool = False
    passing: bool = False  # whether only one container ever mounts it on a node


def mount(config: HubConfig, directory: Directory) -> Mount:
    """Give the mount of a directory, which is there already."""
    source = f"{config.storage.root}/{directory.path}"
    if not config.storage.nfs:
        return Mount(directory.target, source, type="bind", read_only=directory.read_only)
    options = {"type": "nfs", "o": config.storage.nfs, "device": f":{source}"}
    name = f"{config.stack}-{directory.path.replace('/', '-')}-{naming.options_digest(options)}"
    return Mount(
        directory.target,
        # A volume without a name goes with its container; nodes keep the others for ever.
        None if directory.passing else name,
        type="volume",
        read_only=directory.read_only,
        no_copy=True,  # root, who would copy what the image has there, is nobody on the server
        labels={"notehive.stack": config.stack, "notehive.kind": "mount"},
        driver_config=DriverConfig("local", options),
    )
