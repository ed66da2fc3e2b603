"""The hub as a client: what it may ask for, by the same configuration that the hub is told."""

import re
from functools import partial

from notehive import naming
from notehive.guard import answers
from notehive.guard.calls import Call, Read, ReadMany, ReadVersion
from notehive.guard.container import Mount
from notehive.guard.most import Most
from notehive.guard.ours import InspectOurs, ListOurs, RemoveOurs
from notehive.guard.part import read
from notehive.guard.rules import LabelSet, Rules
from notehive.guard.services import CreateSecret, CreateService
from notehive.hub import service, storage, tokens
from notehive.hub.config import HubConfig
from notehive.hub.released import offered
from notehive.settings import MOST_PIDS


def calls(config: HubConfig) -> list[Call]:
    """Give every call that the hub may make; there is no other."""
    of_servers, of_tokens = labels(config, "server"), labels(config, tokens.KIND)
    servers = rules(config)
    return [
        ReadVersion("/version", answers.VERSION),
        ReadMany("/tasks", answers.TASK),
        Read("/nodes", answers.NODE),
        Read(f"/networks/{servers.network}", answers.NETWORK),
        ListOurs("/services", of_servers),
        CreateService("/services/create", servers),
        InspectOurs("/services", of_servers),
        RemoveOurs("/services", of_servers),
        ListOurs("/secrets", of_tokens),
        CreateSecret("/secrets/create", servers, partial(_token_name, config)),
        RemoveOurs("/secrets", of_tokens),
    ]


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


def _token_name(config: HubConfig, labels: LabelSet) -> str:
    return re.escape(tokens.beginning(_name(config, labels))) + "[0-9a-f]{8}"


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
