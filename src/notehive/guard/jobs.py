"""Airflow's triggerer as a client: it runs published models as jobs of their groups."""

import re
from functools import partial

from notehive.guard import client, hub
from notehive.guard.calls import Call
from notehive.guard.container import Mount
from notehive.guard.logs import LogsOfOurs
from notehive.guard.part import read
from notehive.guard.rules import LabelSet, Rules
from notehive.hub import service
from notehive.hub.config import HubConfig
from notehive.jobs import step
from notehive.jobs.service import run_mount
from notehive.settings import EVERYONE, OwnConfig

# A group's name is a key of settings.yml, the others are those of repositories and model.yml.
PART = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


def calls(config: HubConfig) -> list[Call]:
    """Give every call that the triggerer may make; there is no other."""
    jobs = rules(config)
    return [*client.calls(jobs), LogsOfOurs("/services", jobs.labels)]


def rules(config: HubConfig) -> Rules:
    """Give what a job may hold: nothing of what the operator's own JupyterHub gives to servers."""
    return Rules(
        labels=hub.labels(config, step.KIND),
        token=hub.labels(config, step.TOKEN),
        known=frozenset(f"notehive.{key}" for key in ("stack", "kind", *step.NAMED)),
        same=tuple(f"notehive.{key}" for key in step.NAMED),
        name=partial(_name, config),
        may_run=partial(_may_run, config),
        network=f"{config.stack}_users",
        constraints=frozenset(config.constraints),
        command=service.ENTRYPOINT,
        sysctls=service.SYSCTLS,
        configs=[(trusted.id, trusted.name, trusted.target)] if (trusted := config.trusted) else [],
        most=hub.most(config),
        mounts=partial(_mounts, config),
        own_config=OwnConfig(),
    )


def _may_run(config: HubConfig, labels: LabelSet, image: str) -> bool:
    """Say whether it is a release of the job's own model, by digest."""
    group, model = labels["notehive.group"], labels["notehive.model"]
    repository = f"127.0.0.1:{config.registry_port}/models/{group}/{model}@sha256:"
    known = group == EVERYONE or group in config.groups
    return known and bool(re.fullmatch(re.escape(repository) + "[0-9a-f]{64}", image))


def _name(config: HubConfig, labels: LabelSet) -> str:
    return step.service_name(labels)


def _mounts(config: HubConfig, labels: LabelSet) -> list[Mount]:
    """The directory of the job's own run."""
    parts = [labels[f"notehive.{key}"] for key in ("group", "model", "pipeline")]
    if not all(PART.fullmatch(part) for part in parts):
        return []  # a path could lead anywhere
    return [read(Mount, dict(run_mount(config, step.directory(labels))))]
