"""What the builder is told: one file, written by ``up``, mounted as a Swarm config."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from notehive.errors import BadInput
from notehive.hub.config import HubFile
from notehive.settings import EVERYONE

CONFIG = Path("/etc/notehive/builder.json")


class Reserved(BaseModel):
    """What may be for some groups alone."""

    groups: list[str]  # that it is reserved for; none: it is for all

    def is_for(self, group: str) -> bool:
        """Whether a model of this group may use it."""
        return not self.groups or bool({group, EVERYONE} & set(self.groups))


R = TypeVar("R", bound=Reserved)


class NotebookImage(Reserved):
    """A notebook image that models are built on."""

    reference: str


class JobSize(Reserved):
    """What a job of this size may use: CPU (cores), memory (bytes) and processes."""

    cpu: float
    memory: int
    pids: int


class BuilderConfig(BaseModel):
    """The parts of the settings that the builder uses."""

    stack: str
    registry_port: int  # of each node's loopback, which images are pulled from
    push_port: int
    images: dict[str, NotebookImage]
    sizes: dict[str, JobSize]
    constraint: str  # Swarm's, of the node that the builder is on
    trusted: HubFile | None = None  # what users' servers trust, if the images' bundle is too little
    dags: list[str] = []  # groups that may write DAGs

    @classmethod
    def load(cls, path: Path = CONFIG) -> "BuilderConfig":
        """Read the file that `up` wrote."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))

    def notebook_image(self, key: str, group: str) -> NotebookImage:
        """Give the image of this key. Raises BadInput if this group has none such."""
        return _one(self.images, "image", key, group)

    def size(self, key: str, group: str, place: str = "size") -> JobSize:
        """Give the size of this key; ``place``: where model.yml names it.

        Raises BadInput if this group has none such.
        """
        return _one(self.sizes, place, key, group)

    def smallest_size(self, group: str) -> JobSize:
        """Give the size with the least memory that this group has."""
        mine = [size for size in self.sizes.values() if size.is_for(group)]
        if not mine:
            raise BadInput(f"{group}: settings.yml has no size for this group")
        return min(mine, key=lambda size: (size.memory, size.cpu))


def _one(among: Mapping[str, R], place: str, key: str, group: str) -> R:
    mine = {name: each for name, each in among.items() if each.is_for(group)}
    if key not in mine:
        raise BadInput(
            f"model.yml: {place}: {key}: there is none for the group {group}; "
            f"there are {', '.join(sorted(mine))}"
        )
    return mine[key]
