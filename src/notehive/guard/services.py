"""The making of services, and of the secrets that are theirs alone."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from notehive.guard import body
from notehive.guard.calls import Asked, Create
from notehive.guard.engine import Engine
from notehive.guard.refused import RefusedError
from notehive.guard.rules import LabelSet, Rules


@dataclass(frozen=True)
class CreateService(Create):
    """A service by a client's rules."""

    rules: Rules

    async def approve(self, engine: Engine, asked: Asked) -> Mapping[str, Any]:
        """Check the service, and look up whose the secrets are that it names."""
        service = body.read(body.Service, asked.body)
        self.rules.check(service)
        for reference in service.TaskTemplate.ContainerSpec.Secrets:
            found = await engine.ask("GET", f"{asked.version}/secrets/{reference.SecretID}")
            self.rules.check_secret(service, reference, found.data)
        return body.write(service)


@dataclass(frozen=True)
class CreateSecret(Create):
    """A secret of one service of a client's."""

    rules: Rules
    name: Callable[[LabelSet], str]  # a pattern of the secret's name, by its labels

    async def approve(self, engine: Engine, asked: Asked) -> Mapping[str, Any]:
        """Check the secret."""
        secret = body.read(body.Secret, asked.body)
        self.rules.check_labels("Labels", secret.Labels, self.rules.token)
        if not re.fullmatch(self.name(secret.Labels), secret.Name):
            raise RefusedError(f"Name: {secret.Name!r} is not the name that the labels make.")
        return body.write(secret)
