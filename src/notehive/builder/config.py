"""What the builder is told: one file, written by ``up``, mounted as a Swarm config."""

from pathlib import Path

from pydantic import BaseModel

from notehive.errors import BadInput
from notehive.settings import EVERYONE

CONFIG = Path("/etc/notehive/builder.json")


class NotebookImage(BaseModel):
    """A notebook image that models are built on."""

    reference: str
    groups: list[str]  # that it is reserved for; none: it is for all


class BuilderConfig(BaseModel):
    """The parts of the settings that the builder uses."""

    stack: str
    registry_port: int  # of each node's loopback, which images are pulled from
    push_port: int
    images: dict[str, NotebookImage]
    dags: list[str] = []  # groups that may write DAGs

    @classmethod
    def load(cls, path: Path = CONFIG) -> "BuilderConfig":
        """Read the file that `up` wrote."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))

    def notebook_image(self, key: str, group: str) -> NotebookImage:
        """Give the image of this key. Raises BadInput if this group has none such."""
        found = self.images.get(key)
        mine = {
            name
            for name, image in self.images.items()
            if not image.groups or {group, EVERYONE} & set(image.groups)
        }
        if found is None or key not in mine:
            raise BadInput(
                f"model.yml: image: {key}: there is none for the group {group}; "
                f"there are {', '.join(sorted(mine))}"
            )
        return found
