"""The hub as a client: what it may ask for, by the same configuration that the hub is told."""

from functools import partial

from notehive import naming
from notehive.guard import client
from notehive.guard.calls import Call
from notehive.guard.container import Mount
from notehive.guard.most import Most
from notehive.guard.part import read
from notehive.guard.rules import LabelSet, Rules
from notehive.hub import service, storage, tokens
from notehive.hub.config import HubConfig
from notehive.hub.released import offered
from notehive.settings import MOST_PIDS


def calls(config: HubConfig) -> list[Call]:
    """Give every call that the hub may make; there is no other."""
    return client.calls(rules(config))


def labels(config: HubConfig, kind: str) -> LabelSet:
    """Give the labels of all that the hub makes of a kind."""
    return {"notehive.stack": config.stack, "notehive.kind": kind}


def rules(config: HubConfig) -> Rules:
    """Give what a user's server may hold."""
    return Rules(
        labels=labels(config, "server"),
        token=labels(config, tokens.KIND),
        known=frozenset(
            f"notehive.{key}" for key in ("stack", "kind", "user", "server", "image", "size")
        ),
        same=("notehive.user", "notehive.server"),
        name=partial(_name, config),
        may_run=partial(_may_run, config),
        network=f"{config.stack}_users",
        constraints=frozenset(config.constraints),
        command=service.ENTRYPOINT,
        sysctls=service.SYSCTLS,
        configs=[(trusted.id, trusted.name, trusted.target)] if (trusted := config.trusted) else [],
        most=most(config),
        mounts=partial(_mounts, config),
        own_config=config.own_config,
    )


def _may_run(config: HubConfig, labels: LabelSet, image: str) -> bool:
    """Say whether it is an image of the settings, or a group's current release of one."""
    return image in {each.reference for each in offered(config).images.values()}


def _name(config: HubConfig, labels: LabelSet) -> str:
    return naming.server_service(config.stack, labels["notehive.user"], labels["notehive.server"])


def _mounts(config: HubConfig, labels: LabelSet) -> list[Mount]:
    """The home of a server's user, and what any group shares: who is in which, the hub knows."""
    mounts = storage.mounts(config, labels["notehive.user"], set(config.groups))
    return [read(Mount, dict(mount)) for mount in mounts]


def most(config: HubConfig) -> Most:
    """Give the most that one service of users' code may have."""
    limits = [size.limit for size in config.sizes.values()]
    if config.own_config.limit:
        limits.append(config.own_config.limit)
    kinds = {kind for size in config.sizes.values() for kind in size.generic_resources}
    return Most(
        nano_cpus=max(int(limit.cpu * 1e9) for limit in limits),
        memory=max(limit.memory for limit in limits),
        pids=MOST_PIDS,
        generic={
            kind: max(size.generic_resources.get(kind, 0) for size in config.sizes.values())
            for kind in kinds
        },
    )
