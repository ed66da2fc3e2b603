"""What groups share: folders, MLflow workspaces, and whatever else a service keeps by group."""

from collections.abc import Mapping, Set

from notehive.settings import EVERYONE, Group


def shared(groups: Mapping[str, Group], member_of: Set[str]) -> dict[str, bool]:
    """Give the groups whose shared things a member of these groups sees, in the settings' order.

    True for those whose things may be changed too: of one's own groups, and of `everyone`.
    """
    found = {}
    for name, group in groups.items():
        member = name in member_of or name == EVERYONE
        if group.shared == "everyone" or (group.shared == "members" and member):
            found[name] = member
    return found


def kept(groups: Mapping[str, Group], member_of: Set[str]) -> dict[str, bool]:
    """Give the same for what services keep: what belongs to no group belongs to `everyone`.

    Such a thing has a place even where the settings do not name that group, as runs do.
    """
    return shared({EVERYONE: Group(), **groups}, member_of)


def own(groups: Mapping[str, Group], member_of: Set[str]) -> str:
    """Give the group to which belongs what a user makes without saying more; `everyone` if none.

    The first of the user's groups in the settings that shares something.
    """
    mine = [name for name, member in shared(groups, member_of).items() if member]
    return next((name for name in mine if name != EVERYONE), EVERYONE)
