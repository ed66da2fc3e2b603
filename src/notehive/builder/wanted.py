"""What a client may ask for, and what that is called."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# What Docker takes as a part of an image's name.
PART = r"^[a-z0-9]+(-+[a-z0-9]+)*$"


Commit = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class Model(BaseModel):
    """A model, by its repository."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    group: Annotated[str, Field(max_length=24, pattern=PART)]
    name: Annotated[str, Field(min_length=2, max_length=40, pattern=PART)]

    @property
    def model(self) -> str:
        """Group and name, as people read them."""
        return f"{self.group}/{self.name}"

    @property
    def path(self) -> str:
        """Where its images are in the registry."""
        return f"models/{self.model}"


class Wanted(Model):
    """A commit of a model's repository."""

    commit: Commit

    def repository(self, root: Path) -> Path:
        """Give where the repository is, below the root of all."""
        return root / self.group / f"{self.name}.git"

    def image(self, port: int) -> str:
        """Give the name of the image, in the registry at this port of the loopback."""
        return f"127.0.0.1:{port}/{self.path}:{self.commit}"


class WantedCheck(Wanted):
    """One that is to be checked."""


class WantedSmoke(Wanted):
    """One whose image is to be tried."""


class WantedBuild(Wanted):
    """One that is to be built."""

    fresh: bool = False  # with nothing that earlier builds have kept


class WantedPruning(Model):
    """A model of whose images only some are to be kept, by their commits and digests."""

    keep: dict[Commit, Digest]


class WantedCollection(BaseModel):
    """A collection of the registry's garbage, of which nothing more is said."""

    model_config = ConfigDict(extra="forbid")
