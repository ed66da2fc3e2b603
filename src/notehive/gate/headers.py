"""What the gate tells services of who asks, and what every service may build its rights on."""

from collections.abc import Collection, Mapping
from typing import Any

from notehive import usernames
from notehive.hub.sharing import kept
from notehive.settings import Group

USER = "X-Notehive-User"
ADMIN = "X-Notehive-Admin"  # not empty for administrators
EDITS = "X-Notehive-Edits"  # groups whose things the user may see and change
READS = "X-Notehive-Reads"  # groups whose things the user may only see
KEY = "X-Notehive-Key"  # what Nginx shows to a service, so that it believes the rest

# Who may open the hub's page Admin. The gate's cookie carries it for administrators, and so do
# their own tokens unless they were made for less; a server's token never does.
ADMIN_SCOPE = "admin-ui"
# What a browser session and a token of a user may do beside what JupyterHub allows by itself.
GATE_SCOPE = "access:services!service=gate"


def told(model: Mapping[str, Any], groups: Mapping[str, Group]) -> dict[str, str]:
    """Give the headers for the hub's model of a user; ``groups`` are those of the settings."""
    rights = kept(groups, set(model.get("groups", ())))
    if job_of := usernames.group_of_job(model["name"]):
        # A job is nobody's who may look around: it has what is its group's.
        rights = {name: True for name in rights if name == job_of}
    return {
        USER: model["name"].encode("ascii", "backslashreplace").decode(),
        ADMIN: "yes" if ADMIN_SCOPE in model["scopes"] else "",
        EDITS: listed([name for name, may_change in rights.items() if may_change]),
        READS: listed([name for name, may_change in rights.items() if not may_change]),
    }


def listed(groups: Collection[str]) -> str:
    """Give groups as one header; their names have no commas."""
    return ",".join(sorted(groups))


def names(header: str) -> list[str]:
    """Give the groups that `listed` put into a header."""
    return [name for name in header.split(",") if name]
