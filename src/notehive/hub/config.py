"""What the hub is told: one file, written by ``up``, mounted as a Swarm config."""

import hashlib
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from notehive.settings import Auth, Culling, Group, OwnConfig, Services, Size

CONFIG = Path("/etc/notehive/hub.json")
SECRETS = Path("/run/secrets")


class HubRelease(BaseModel):
    """Where a notebook image comes from that a group has released."""

    on: str  # key of the notebook image that it is built on
    by: str
    at: datetime


class HubImage(BaseModel):
    """A notebook image that has been built, named or released."""

    title: str
    description: str
    reference: str  # what Docker is told to run
    packages: list[
        str
    ] = []  # what is installed, each as "name version"; of a release, what it adds
    release: HubRelease | None = None  # of those that are not in the settings


class HubStorage(BaseModel):
    """Where homes and shared folders are, for the nodes that mount them."""

    root: str  # a directory of every node that servers run on; with `nfs`, of the server
    nfs: str  # options of the NFS mount, its address among them; empty without NFS
    quota: int  # bytes for each home, 0 for no limit


class HubFile(BaseModel):
    """A Swarm config that is mounted as a file."""

    id: str
    name: str
    target: str  # path in the container


class HubConfig(BaseModel):
    """The parts of the settings that the hub uses, and what `up` made of them."""

    model_config = ConfigDict(frozen=True)

    stack: str  # name of the Docker stack, prefix of every service, volume and secret
    url: str  # where people open the site: scheme, host and port, no path
    subdomains: bool = False  # each user's servers at a name of their own below that
    admins: list[str]
    auth: Auth
    login_ca: str = ""  # certificates (PEM) that vouch for the directory or the provider
    groups: dict[str, Group]
    images: dict[str, HubImage]
    sizes: dict[str, Size]
    culling: Culling
    services: Services
    storage: HubStorage
    constraints: list[str]  # Swarm placement constraints of users' servers
    own_config: OwnConfig
    registry_port: int = 5000  # loopback port, on every node, that images come from
    pip_index_url: str  # without services.pypi: users' Python index; empty for pip's own default
    trusted: HubFile | None = None  # what users' servers trust, if the images' bundle is too little

    @classmethod
    def load(cls, path: Path = CONFIG) -> "HubConfig":
        """Read the file that `up` wrote."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))


def read_keys(name: str) -> dict[int, str]:
    """Give a key that is a Swarm secret, and the former one if there is one, by their numbers.

    Tornado writes the number of the key into what it signs.
    """
    there = [each for each in (name, f"{name}-former") if (SECRETS / each).exists()]
    return {key_number(key): key for key in map(read_secret, there)}


def key_number(key: str) -> int:
    """Give the number of a key."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16)


def read_secret(name: str) -> str:
    """Give a Swarm secret of this container, without the newline at its end."""
    return (SECRETS / name).read_text(encoding="utf-8").rstrip("\n")
