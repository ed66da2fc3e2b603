"""What one user may have: images, sizes, and how much of them at once."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from notehive.hub.config import HubConfig
from notehive.settings import EVERYONE, Limits


class Rights(NamedTuple):
    """Keys of ``images:`` and ``sizes:``, in the order of the settings, and the limits."""

    images: tuple[str, ...]
    sizes: tuple[str, ...]
    limits: Limits


def groups_of(user: Any) -> set[str]:
    """Give the names of the groups of a user of the hub, without `everyone`."""
    return {group.name for group in user.orm_user.groups}


def rights_of(config: HubConfig, user: Any) -> Rights:
    """Give the rights of a user of the hub."""
    return rights(config, groups_of(user), admin=bool(user.admin))


def rights(config: HubConfig, groups: Iterable[str], *, admin: bool = False) -> Rights:
    """Give the rights of a member of these groups, and of `everyone`.

    What any group names is reserved: for the members of the groups that name it, and for
    administrators. The rest is for everyone. Of the limits that several groups give, the
    most generous holds; those of `everyone` do not bind administrators.
    """
    own = {*groups, EVERYONE}
    granting = [group for name, group in config.groups.items() if name in own]

    def open_ones(key: str, names: Iterable[str]) -> tuple[str, ...]:
        reserved = {name for group in config.groups.values() for name in getattr(group, key)}
        granted = {name for group in granting for name in getattr(group, key)}
        return tuple(n for n in names if admin or n not in reserved or n in granted)

    limits = Limits()
    for name, group in config.groups.items():
        if name in own and not (admin and name == EVERYONE):
            limits = limits.or_more(group.limits)
    return Rights(
        open_ones("images", config.images),
        open_ones("sizes", config.sizes),
        limits,
    )
