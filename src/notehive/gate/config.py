"""What the gate is told: one file, written by ``up``, mounted as a Swarm config."""

from pathlib import Path

from pydantic import BaseModel

from notehive.settings import Group

CONFIG = Path("/etc/notehive/gate.json")


class GateConfig(BaseModel):
    """The parts of the settings that the gate uses."""

    groups: dict[str, Group]

    @classmethod
    def load(cls, path: Path = CONFIG) -> "GateConfig":
        """Read the file that `up` wrote."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))
