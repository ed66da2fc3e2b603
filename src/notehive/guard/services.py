"""The making of services, and of the secrets that are theirs alone."""

import logging
import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from notehive.guard.answers import CREATED, reduce
from notehive.guard.body import Secret, Service
from notehive.guard.calls import Asked, Call
from notehive.guard.engine import Answer, Engine
from notehive.guard.part import read, write
from notehive.guard.refused import RefusedError
from notehive.guard.rules import Rules
from notehive.hub import tokens

log = logging.getLogger("notehive.guard")


@dataclass(frozen=True)
class Create(Call):
    """The making of an object."""

    method = "POST"
    has_body = True

    @abstractmethod
    async def approve(self, engine: Engine, asked: Asked) -> Mapping[str, Any]:
        """Give the body that is sent, made anew from what was checked. Raises RefusedError."""

    async def answer(self, engine: Engine, asked: Asked) -> Answer:
        """Check and make it."""
        body = await self.approve(engine, asked)
        done = await engine.ask("POST", asked.version + self.path, body=body)
        log.info("made %s %s", self.path, body["Name"])
        return Answer(done.status, reduce(done.data, CREATED))


@dataclass(frozen=True)
class CreateService(Create):
    """A service by a client's rules."""

    rules: Rules

    async def approve(self, engine: Engine, asked: Asked) -> Mapping[str, Any]:
        """Check the service, and look up whose the secrets are that it names."""
        service = read(Service, asked.body)
        self.rules.check(service)
        for reference in service.TaskTemplate.ContainerSpec.Secrets:
            found = await engine.ask("GET", f"{asked.version}/secrets/{reference.SecretID}")
            self.rules.check_secret(service, reference, found.data)
        return write(service)


@dataclass(frozen=True)
class CreateSecret(Create):
    """A secret of one service of a client's."""

    rules: Rules

    async def approve(self, engine: Engine, asked: Asked) -> Mapping[str, Any]:
        """Check the secret."""
        secret = read(Secret, asked.body)
        self.rules.check_labels("Labels", secret.Labels, self.rules.token)
        name = re.escape(tokens.beginning(self.rules.name(secret.Labels))) + "[0-9a-f]{8}"
        if not re.fullmatch(name, secret.Name):
            raise RefusedError(f"Name: {secret.Name!r} is not the name that the labels make.")
        return write(secret)
