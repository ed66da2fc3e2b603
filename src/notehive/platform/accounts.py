"""Accounts, through the tool inside the hub's container: tokens never leave it."""

import json
from collections.abc import Mapping
from typing import Any

from notehive import docker, shell
from notehive.errors import BadInput, NotehiveError


def hub_container(stack: str) -> str:
    """Give the id of the hub's container on this node."""
    found = docker.containers(f"{stack}_hub")
    if not found:
        raise NotehiveError(
            f"hub: its container is not on this node; `./notehive status` shows where {stack} runs"
        )
    return found[0]


def ask(stack: str, verb: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Send one request to the hub's tool; give its answer. Its bad input is our BadInput."""
    done = shell.run(
        docker.command(
            *("exec", "--interactive", "--user", "hub", hub_container(stack)),
            *("python3", "-m", "notehive.hub.admin", verb),
        ),
        check=False,
        stdin=json.dumps(dict(request)).encode(),
    )
    if done.code:
        said = (done.err.strip() or "no answer").splitlines()[-1]
        raise (BadInput if done.code == BadInput.exit_code else NotehiveError)(said)
    answer: dict[str, Any] = json.loads(done.out)
    return answer
