"""The Swarm service in which an image is tried: built from what is given, without asking anybody.

It has the walls of a job, and nothing by which the platform would know it: no token, no secret.
"""

import uuid
from typing import Any

from notehive.builder import labels
from notehive.builder.config import BuilderConfig, JobSize
from notehive.builder.wanted import Wanted
from notehive.hub import service

# By the kind of what the repository is.
COMMANDS = {
    "model": ("python3", "-P", "-m", "notehive.models.smoke"),
    "image": ("python3", "-P", "-m", "notehive.models.smoke.server"),
}


def build(
    config: BuilderConfig, wanted: Wanted, kind: str, image: str, size: JobSize, seconds: float
) -> dict[str, Any]:
    """Give the arguments of docker-py's ``create_service``.

    ``image`` is an engine's id: the Swarm pulls nothing for it, and takes just that one.
    ``seconds``: how long its notebooks and tests may take.
    """
    told = {
        labels.STACK: config.stack,
        labels.KIND: labels.SMOKE,
        labels.GROUP: wanted.group,
        labels.NAME: wanted.name,
    }
    env = {
        "NOTEHIVE_GROUP": wanted.group,
        "NOTEHIVE_COMMIT": wanted.commit,
        "NOTEHIVE_IMAGE": wanted.image(config.registry_port),
        "NOTEHIVE_SMOKE_SECONDS": f"{seconds:g}",
    }
    return service.build(
        name=f"{config.stack}-smoke-{uuid.uuid4().hex[:12]}",
        image=image,
        args=COMMANDS[kind],
        env=env,
        labels=told,
        mounts=[service.shared_memory(size.memory)],
        secrets=[],
        configs=service.certificates(config.trusted),
        # Nothing is kept for it: it never waits for room that users' servers hold.
        amounts=service.Amounts(size.cpu, size.memory, size.pids, 0, 0),
        network=f"{config.stack}_users",
        constraints=[config.constraint],  # where the image is, and nowhere else yet
        extra=service.Extra(),
    )
