"""The floor: what a server of Notehive's costs without a hub.

The very service that Notehive's spawner makes, but that JupyterLab runs in it without a hub.
"""

import copy
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import servers
from bench.measures import Say
from bench.rows import Row
from notehive import docker, shell

PROBE = Path(__file__).with_name("probe.py")
HUBS = ("JUPYTERHUB_", "JPY_")  # beginnings of variables that make it a user's server
STACK = "bench-floor"
HOME = "/home/jovyan"
Times = list[dict[str, float]]


def bare(spec: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Give the spec of a server as one of its own: another name and home, no token, no hub."""
    made: dict[str, Any] = copy.deepcopy(dict(spec))
    made["Name"], made["Labels"] = name, {}
    container = made["TaskTemplate"]["ContainerSpec"]
    container["Labels"] = {}
    container["Args"] = ["start-notebook", "--IdentityProvider.token="]
    container["Env"] = [line for line in container.get("Env", []) if not line.startswith(HUBS)]
    container.pop("Secrets", None)
    container["Mounts"] = [
        {"Type": "volume", "Source": name, "Target": HOME} if mount["Target"] == HOME else mount
        for mount in container.get("Mounts", [])
    ]
    return made


def probe(hub: str, specs: list[dict[str, Any]]) -> Times:
    """Create these services at once, from the hub's network; give their seconds.

    The hub's container itself could not: the guard makes users' servers alone.
    """
    process = docker.output("inspect", "--format", "{{.State.Pid}}", hub)
    done = shell.run(
        ["nsenter", f"--target={process}", "--net", sys.executable, str(PROBE)],
        stdin=json.dumps(specs).encode(),
    )
    found: Times = json.loads(done.out)
    servers.remove_all(STACK)
    return found


async def floor(row: Row, rounds: int, size: int, say: Say) -> dict[str, Times]:
    """Measure the floor of Notehive's row: ``once``, and ``storm`` of ``size`` at once."""
    users = await row.new_users("floor", 1)
    attempt = await users[0].spawn()
    if attempt.failure:
        raise RuntimeError(f"floor: the server to take the spec of does not start: {attempt}")
    service = servers.services(row.stack)[0]
    spec = docker.inspect("service", service)[0]["Spec"]
    await row.stop(users)
    hub = docker.containers(f"{row.stack}_hub")[0]
    found: dict[str, Times] = {"once": [], "storm": []}
    for number in range(rounds):
        found["once"] += probe(hub, [bare(spec, f"{STACK}-{number}")])
        say(f"floor {number + 1}/{rounds}   {found['once'][-1]}")
    found["storm"] = probe(hub, [bare(spec, f"{STACK}-s{n}") for n in range(size)])
    say(f"floor of {size} at once   {max(t.get('answers', 0) for t in found['storm'])}")
    return found
