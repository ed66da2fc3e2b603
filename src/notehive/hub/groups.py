"""Groups of users, as the settings, ``user add --group`` and the page Admin make them.

JupyterHub's own ``manage_groups`` would take the last two away: it knows one source only.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from jupyterhub import orm

from notehive.hub.config import HubConfig
from notehive.settings import EVERYONE
from notehive.usernames import check_user_name

JSON = dict[str, Any]
LoginHook = Callable[[Any, Any, JSON], JSON]
REMEMBERED = "settings_members"  # property of a group: its members by the settings, last time


def groups_to_load(members: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
    """Give ``c.JupyterHub.load_groups`` for the members that the settings name by group.

    The hub makes a user of each member. Without an account, nobody can log in as one.
    """
    return {
        name: {"users": list(users), "properties": {REMEMBERED: list(users)}}
        for name, users in members.items()
    }


def drop_former_members(db: Any, members: Mapping[str, Sequence[str]]) -> None:
    """Take out of the groups whom the settings named when the hub started last, but not now.

    JupyterHub itself only adds. Members added by ``user add --group`` stay.
    """
    for group in db.query(orm.Group):
        former = set((group.properties or {}).get(REMEMBERED, ()))
        former -= set(members.get(group.name, ()))
        for user in [user for user in group.users if user.name in former]:
            group.users.remove(user)
    db.commit()


def members_by_settings(config: HubConfig) -> dict[str, list[str]]:
    """Give the groups that have members, and those that the settings name.

    All users are in `everyone`, which is therefore no group of the hub's.
    """
    return {
        name: [check_user_name(member) for member in group.members]
        for name, group in config.groups.items()
        if name != EVERYONE
    }


def follow(
    db: Any,
    user: Any,
    given: Collection[str],
    before: Collection[str],
    members: Mapping[str, Sequence[str]],
) -> list[str]:
    """Put a user into the groups that a directory gives, and out of those it no longer gives.

    ``before`` is what this gave the last time: the groups that the user is in by the directory
    alone. Groups by the settings' ``members`` and by hand stay.
    """
    own = {group.name for group in user.groups}
    by_settings = {name for name, users in members.items() if user.name in users}
    join = set(given) - own
    leave = own & set(before) - set(given) - by_settings
    for group in db.query(orm.Group):
        if group.name in join:
            user.groups.append(group)
        elif group.name in leave:
            user.groups.remove(group)
    db.commit()
    return sorted(join | (set(given) & set(before)))


def at_login(members: Mapping[str, Sequence[str]]) -> LoginHook:
    """Give the hook that decides a user's groups at each login, whatever way they log in.

    The settings' members join their groups, also one who was removed and is back, or was
    taken out by hand. What the settings never said stays as it is.
    """

    def join(authenticator: Any, handler: Any, login: JSON) -> JSON:
        if (user := orm.User.find(handler.db, login["name"])) is not None:
            for group in handler.db.query(orm.Group):
                if user.name in members.get(group.name, ()) and group not in user.groups:
                    user.groups.append(group)
            handler.db.commit()
        return login

    return join
