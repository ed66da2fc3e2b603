"""The Swarm service that is a step: built from what is given, without asking anybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from docker.types import Mount, SecretReference

from notehive import usernames
from notehive.hub import service, tracking
from notehive.hub.config import HubConfig
from notehive.hub.mounting import Directory, mount
from notehive.jobs.step import Attempt

COMMAND = ("python3", "-P", "-m", "notehive.models.step")
RUN_DIRECTORY = "/mnt/run"


@dataclass(frozen=True)
class Begun:
    """What a run was begun with, and all of its steps have: a push changes nothing of it."""

    image: str  # by digest
    commit: str


@dataclass(frozen=True)
class Size:
    """CPU, memory (bytes) and processes of a job, as they were when its model was released."""

    key: str  # of the settings, which win as long as they have it
    cpu: float
    memory: int
    pids: int


def build(
    config: HubConfig,
    attempt: Attempt,
    begun: Begun,
    size: Size,
    secrets: Sequence[SecretReference],
) -> dict[str, Any]:
    """Give the arguments of docker-py's ``create_service``."""
    given = amounts(config, size)
    return service.build(
        name=attempt.service(config.stack),
        image=begun.image,
        args=COMMAND,
        env=environment(config, attempt, begun),
        labels=attempt.labels(config.stack),
        mounts=mounts(config, attempt.directory, given.memory),
        secrets=secrets,
        configs=service.certificates(config.trusted),
        amounts=given,
        network=f"{config.stack}_users",
        constraints=config.constraints,
        extra=service.Extra(),
    )


def environment(config: HubConfig, attempt: Attempt, begun: Begun) -> dict[str, str]:
    """Give the variables of a job, none of them secret."""
    env = {
        "JUPYTERHUB_USER": usernames.job_identity(
            attempt.group
        ),  # the author of its runs in MLflow
        **attempt.environment(),
        "NOTEHIVE_RUN_DIR": RUN_DIRECTORY,
        "NOTEHIVE_IMAGE": begun.image,
        "NOTEHIVE_COMMIT": begun.commit,
        "NOTEHIVE_URL": config.url,  # where the platform's API is
    }
    if config.services.mlflow:
        env |= tracking.server_env(config, {attempt.group})
    if config.pip_index_url:
        env["PIP_INDEX_URL"] = config.pip_index_url
    return env


def run_mount(config: HubConfig, directory: str) -> Mount:
    """Give the mount of a run's directory."""
    return mount(config, Directory(directory, RUN_DIRECTORY, passing=True))


def mounts(config: HubConfig, directory: str, memory: int) -> list[Mount]:
    """Give the run's directory, and shared memory."""
    return [run_mount(config, directory), service.shared_memory(memory)]


def amounts(config: HubConfig, size: Size) -> service.Amounts:
    """Give what a job may use, and what is kept for it."""
    if (now := config.sizes.get(size.key)) is None:
        return service.Amounts(size.cpu, size.memory, size.pids, 0, 0)
    return service.Amounts(
        cpu=now.limit.cpu,
        memory=now.limit.memory,
        pids=now.pids,
        reserved_cpu=now.reserved.cpu,
        reserved_memory=now.reserved.memory,
        generic=now.generic_resources,
    )
