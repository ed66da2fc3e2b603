"""Jenkins, where its image can be had: which, and what it and its agents are told.

One agent is for releases, and one for each group's own checks: what a project's Jenkinsfile does
to its agent, and learns there, is that group's own.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import yaml

from notehive import docker, shell
from notehive.errors import BadInput, NotehiveError
from notehive.hub.sharing import kept
from notehive.platform.contents import Content
from notehive.platform.place import ROOT, Workspace
from notehive.settings import Mirrors, Settings

FROM = re.compile(r"^FROM (\S+)$", re.M)
NOTE = "jenkins"  # in the workspace, where it is left out: what was asked for, and why it is not
PULL_SECONDS = 600
CHECKS = "checks"  # the agent of stack.yml that each group has one of


def base() -> str:
    """Give the name of the image from outside that ours is built on."""
    (name,) = FROM.findall((ROOT / "jenkins/Dockerfile").read_text(encoding="utf-8"))
    return str(name)


def source(mirrors: Mirrors) -> str:
    """Give the name under which that image is pulled."""
    return f"{mirrors.docker.rstrip('/')}/{base()}" if mirrors.docker else base()


def ensure_base(mirrors: Mirrors) -> str:
    """Pull that image, unless it is there; say so."""
    if docker.inspect("image", base()):
        return ""
    pulled = shell.run(
        docker.command("pull", "--quiet", source(mirrors)), check=False, timeout=PULL_SECONDS
    )
    if pulled.code:
        why = (pulled.err.strip() or "no reason given").splitlines()[-1]
        raise BadInput(
            f"{source(mirrors)}: cannot be pulled ({why}); set mirrors.docker to a registry that "
            "has it"
        )
    if source(mirrors) != base():
        shell.run(docker.command("tag", source(mirrors), base()))
    return f"pulled {source(mirrors)}"


def decide(
    settings: Settings, workspace: Workspace, build: Callable[[], object], *, again: bool = False
) -> Settings:
    """Give the settings with `auto` decided: on if ``build`` makes the images.

    What failed is tried anew when another image is wanted, or with ``again``. Raises what
    ``build`` raises where the operator wants Jenkins.
    """
    wished = settings.services.jenkins
    if wished == "auto" and not settings.services.has_releases:
        wished = "off"
    asked = f"{source(settings.mirrors)}\n"
    if wished == "auto" and workspace.read(NOTE).startswith(asked) and not again:
        return _with(settings, "off")
    note = ""
    if wished != "off":
        try:
            build()
        except NotehiveError as error:
            if wished == "on":
                raise
            note = f"{asked}{str(error).splitlines()[-1]}"
    workspace.write(NOTE, note)
    return _with(settings, "off" if note or wished == "off" else "on")


def left_out(settings: Settings, workspace: Workspace) -> str:
    """Say why Jenkins is not there, if it could be."""
    why = workspace.read(NOTE).partition("\n")[2]
    if settings.services.jenkins != "auto" or not why:
        return ""
    return f"{why}; `./notehive up --patch` tries again"


def _with(settings: Settings, switch: str) -> Settings:
    services = settings.services.model_copy(update={"jenkins": switch})
    return settings.model_copy(update={"services": services})


def groups(settings: Settings) -> list[str]:
    """Give the groups that models can belong to."""
    return list(kept(settings.groups, set(settings.groups)))


def contents(settings: Settings) -> list[Content]:
    """Give the configs that Jenkins reads, if it runs: its agents, and the groups of its jobs."""
    if not settings.services.has_jenkins:
        return []
    seen_by_all = kept(settings.groups, set())
    told = [{"name": name, "seen_by_all": name in seen_by_all} for name in groups(settings)]
    return [
        Content(settings.name, "config", "jenkins-agents", agents(settings).encode()),
        Content(settings.name, "config", "jenkins-groups", json.dumps(told).encode()),
    ]


def agents(settings: Settings) -> str:
    """Give the agents as configuration of Jenkins."""
    nodes = [_agent("releases", "EXCLUSIVE", 4)]
    # A Jenkinsfile that asks for any agent gets that of its group (jenkins/rules.groovy).
    nodes += [_agent(f"{CHECKS}-{group}", "NORMAL", 1) for group in groups(settings)]
    return yaml.safe_dump({"jenkins": {"nodes": nodes}}, sort_keys=False)


def _agent(name: str, mode: str, executors: int) -> dict[str, Any]:
    return {
        "permanent": {
            "name": name,
            "labelString": name,
            "mode": mode,
            "numExecutors": executors,
            "remoteFS": "/home/agent",
            "launcher": {"inbound": {"webSocket": True}},
        }
    }


def adapt(stack: dict[str, Any], settings: Settings) -> None:
    """Let each group have the agent `checks` of a stack file, and Jenkins know all of them."""
    services, secrets = stack["services"], stack["secrets"]
    agent, secret = services.pop(CHECKS), secrets.pop(CHECKS)
    (own,) = agent["secrets"]
    shared = services["jenkins"]["secrets"]
    (template,) = (each for each in shared if each["source"] == CHECKS)
    shared.remove(template)
    for group in groups(settings):
        name = f"{CHECKS}-{group}"
        services[name] = {
            **agent,
            "environment": {**agent["environment"], "NODE": name},
            "secrets": [{**own, "source": name}],
        }
        secrets[name] = {**secret, "name": secret["name"].replace(CHECKS, name)}
        shared.append({**template, "source": name})
