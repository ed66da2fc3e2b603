"""Users' homes and groups' shared folders: who has which, how a server mounts them, their quota.

The directories are made by the keeper (notehive.storage), which knows no users, before a server
mounts them.
"""

from collections.abc import Iterator, Sequence, Set
from contextlib import suppress

from docker.types import Mount

from notehive import naming
from notehive.hub import keeper
from notehive.hub.config import HubConfig
from notehive.hub.mounting import Directory, mount
from notehive.hub.sharing import shared
from notehive.settings import format_memory, home_quota

HOME = "/home/jovyan"


class OverQuotaError(ValueError):
    """A home holds more than its quota; says so in a sentence."""


def directories(config: HubConfig, user: str, groups: Set[str]) -> Iterator[Directory]:
    """Give the user's home, and the shared folders that a member of these groups may see."""
    yield Directory(naming.home(user), HOME)
    for name, member in shared(config.groups, groups).items():
        yield Directory(naming.shared(name), f"/shared/{name}", read_only=not member)


def mounts(config: HubConfig, user: str, groups: Set[str]) -> list[Mount]:
    """Give the mounts of these directories, and nothing else of the storage."""
    return [mount(config, directory) for directory in directories(config, user, groups)]


async def prepare(
    config: HubConfig, user: str, groups: Set[str], sizes: Sequence[str], size: str
) -> None:
    """Have all directories made that a server of this user mounts.

    ``sizes`` are those that the user may have. Raises OverQuotaError where the home holds too much
    for this one, keeper.KeeperError if the keeper does not do its part.
    """
    for directory in directories(config, user, groups):
        await keeper.make(directory.path)
    rescue = smallest(config, sizes)
    if size != rescue and (text := await warning(config, user, groups)):
        raise OverQuotaError(f"{text} That is {rescue}.")


def smallest(config: HubConfig, sizes: Sequence[str]) -> str:
    """Give the key of the smallest of these sizes, by memory, then by CPU."""

    def amount(key: str) -> tuple[int, float]:
        limit = config.sizes[key].limit
        return limit.memory, limit.cpu

    return min(sizes, key=amount)


async def warning(config: HubConfig, user: str, groups: Set[str]) -> str:
    """Give one sentence for a user whose home holds more than its quota, else nothing.

    Raises keeper.KeeperError.
    """
    limit = home_quota(config.storage.quota, config.groups, groups)
    if not limit:
        return ""
    home = naming.home(user)
    used = await keeper.used(home)
    if used > limit:
        used = await keeper.measure(home)  # something may have been deleted meanwhile
    if used <= limit:
        return ""
    return (
        f"Your home holds {format_memory(used)}B of {format_memory(limit)}B; "
        "start a server of the smallest size to delete files."
    )


async def measure(user: str) -> None:
    """Have a user's home measured: a server that has stopped may have filled or emptied it."""
    with suppress(keeper.KeeperError):
        await keeper.measure(naming.home(user))
