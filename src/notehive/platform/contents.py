"""Swarm configs and secrets that hold what the operator says: each is named after its content."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from notehive import docker, shell

KIND = "content"  # their label notehive.kind


@dataclass(frozen=True)
class Content:
    """What a config or secret of stack.yml holds. Neither can be changed: other bytes, other name.

    ``key`` is its name in stack.yml, whose variable KIND_KEY says what the Swarm knows it by.
    """

    kind: Literal["config", "secret"]
    key: str
    data: bytes = field(repr=False)

    @property
    def variable(self) -> str:
        """The variable of stack.yml."""
        return f"{self.kind}_{self.key}".upper().replace("-", "_")

    def name(self, stack: str) -> str:
        """Name in the Swarm."""
        # A secret's is slow to make, so that nobody finds a password by its name.
        digest = (
            hashlib.sha256(self.data).digest()[:6]
            if self.kind == "config"
            else hashlib.scrypt(self.data, salt=stack.encode(), n=2**14, r=8, p=1, dklen=6)
        )
        return f"{stack}_{self.key}-{digest.hex()}"


def ensure(stack: str, content: Content) -> str:
    """Let the Swarm have it; give its id."""
    name = content.name(stack)
    if found := docker.inspect(content.kind, name):
        return str(found[0]["ID"])
    create = docker.create(content.kind, name, {"notehive.stack": stack, "notehive.kind": KIND})
    return shell.run(create, stdin=content.data).out.strip()


def remove_old(stack: str, keep: Collection[str]) -> None:
    """Remove those with other names than these; what a task still uses stays for now."""
    labels = (f"label=notehive.stack={stack}", f"label=notehive.kind={KIND}")
    for kind in ("config", "secret"):
        listed = docker.objects(kind, "ls", *(f"--filter={label}" for label in labels))
        for name in [row["Name"] for row in listed if row["Name"] not in keep]:
            shell.run(docker.command(kind, "rm", name), check=False)
