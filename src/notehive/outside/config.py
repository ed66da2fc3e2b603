"""What the services `git` and `api` are told of the outside: one file, a Swarm config."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel

CONFIG = Path("/etc/notehive/outside.json")  # where repositories come from outside


class OutsideConfig(BaseModel):
    """The parts of the setting `git.external` that the services use."""

    provider: str
    repositories: dict[str, str]  # GROUP/NAME: address
    branch: str
    user: str  # that goes with the token
    certificates: str  # that vouch for the server, as PEM; empty for those that images trust
    known_hosts: str  # its keys, as ssh knows them

    @classmethod
    def load(cls, path: Path = CONFIG) -> "OutsideConfig | None":
        """Read the file that `up` wrote; None where repositories are the site's own."""
        if not path.exists():
            return None
        return cls.model_validate_json(path.read_text(encoding="utf-8"))

    @property
    def server(self) -> str:
        """The server, as HOST or HOST:PORT of its pages: all repositories are on one."""
        parts = urlsplit(next(iter(self.repositories.values())))
        return parts.netloc if parts.scheme == "https" else parts.hostname or ""


def place(address: str) -> str:
    """Give what an address says of where on its server a repository is: ``ml/churn``."""
    return urlsplit(address).path.strip("/").removesuffix(".git")
