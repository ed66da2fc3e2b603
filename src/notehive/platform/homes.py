"""What homes and shared folders hold, as the keeper has measured them, and whose they are."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from notehive import docker, naming, shell
from notehive.errors import NotehiveError
from notehive.platform import accounts
from notehive.settings import Settings, format_memory, home_quota

LARGEST = 10  # homes that are shown; `status --json` gives all

# The keeper's token stays in its container, and out of the arguments of a command.
ASK = (
    "printf 'Authorization: Bearer %s' \"$(cat /run/secrets/storage-token)\""
    " | curl --fail --silent --show-error --header @- localhost:8091/usage"
)


def usage(stack: str) -> dict[str, Any]:
    """Give what the keeper has measured, in bytes; nothing where no keeper runs on this node."""
    for container in docker.containers(f"{stack}_storage")[:1]:
        done = shell.run(docker.command("exec", container, "sh", "-c", ASK), check=False)
        if not done.code:
            found: dict[str, Any] = json.loads(done.out)
            return found
    return {"homes": {}, "shared": {}, "free": 0, "total": 0}


def listed(settings: Settings, used: Mapping[str, int]) -> list[dict[str, Any]]:
    """Give each home with its user, what it holds and may hold (bytes), the largest first.

    A home whose user has been removed has none.
    """
    try:
        users = accounts.ask(settings.name, "user-list", {})["users"]
    except NotehiveError:  # the hub is away; status says that elsewhere
        users = []
    owners = {naming.home(user["name"]).removeprefix("homes/"): user for user in users}
    found = []
    for name, size in sorted(used.items(), key=lambda item: -item[1]):
        user = owners.get(name, {"name": "", "groups": []})
        quota = home_quota(settings.storage.quota, settings.groups, set(user["groups"]))
        found.append({"user": user["name"], "home": name, "used": size, "quota": quota})
    return found


def describe(found: list[dict[str, Any]], free: int) -> Iterator[str]:
    """Give lines about homes: all of them, and the largest ones."""
    if not found:
        return
    total = format_memory(sum(home["used"] for home in found))
    yield f"{len(found)} homes hold {total}, {format_memory(free)} are free; the largest:"
    for home in found[:LARGEST]:
        of = f" of {format_memory(home['quota'])}" if home["quota"] else ""
        yield f"  {home['user'] or home['home'] + ' (no user)'}: {format_memory(home['used'])}{of}"
