"""Swarm configs and secrets that hold what the operator says: each is named after its content."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from notehive import docker, shell


@dataclass(frozen=True)
class Content:
    """What a config or secret of stack.yml holds. Neither can be changed: other bytes, other name.

    ``key`` is its name in stack.yml, whose variable KIND_KEY says what the Swarm knows it by.
    """

    stack: str
    kind: Literal["config", "secret"]
    key: str
    data: bytes = field(repr=False)

    @property
    def variable(self) -> str:
        """The variable of stack.yml."""
        return f"{self.kind}_{self.key}".upper().replace("-", "_")

    @cached_property
    def name(self) -> str:
        """Name in the Swarm."""
        # A secret's is slow to make, so that nobody finds a password by its name.
        digest = (
            hashlib.sha256(self.data).digest()[:6]
            if self.kind == "config"
            else hashlib.scrypt(self.data, salt=self.stack.encode(), n=2**14, r=8, p=1, dklen=6)
        )
        return f"{self.stack}_{self.key}-{digest.hex()}"


def ensure(content: Content) -> str:
    """Let the Swarm have it; give its id."""
    if found := docker.inspect(content.kind, content.name):
        return str(found[0]["ID"])
    create = docker.create(content.kind, content.name, content.stack)
    return shell.run(create, stdin=content.data).out.strip()
