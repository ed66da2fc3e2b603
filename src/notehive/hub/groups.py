"""Groups of users, as the settings and ``user add --group`` make them."""

from collections.abc import Mapping, Sequence
from typing import Any

from jupyterhub import orm

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
