"""Whom the hub knows as the jobs of a group: users who are in that group alone.

Nobody can have such a name, or log in with it: no name of a person has a colon.
"""

from typing import Any

from jupyterhub import orm

from notehive import usernames
from notehive.gate.headers import GATE_SCOPE
from notehive.hub.config import HubConfig, read_secret
from notehive.settings import EVERYONE


def identities(config: HubConfig) -> dict[str, str]:
    """Give the users for jobs, and the group of each."""
    return {usernames.job_identity(group): group for group in sorted({EVERYONE, *config.groups})}


def update_jobs(c: Any, config: HubConfig) -> None:
    """Let the platform make and revoke tokens of jobs, and of nobody else."""
    users = list(identities(config))
    c.JupyterHub.services.append(
        {"name": "jobs", "api_token": read_secret("jobs-token"), "display": False}
    )
    scopes = [f"tokens!user={user}" for user in users]
    c.JupyterHub.load_roles.append({"name": "jobs", "scopes": scopes, "services": ["jobs"]})
    # All that they may: they have no page, and start no servers.
    c.JupyterHub.load_roles.append({"name": "job", "scopes": [GATE_SCOPE], "users": users})


def ensure_identities(db: Any, config: HubConfig) -> None:
    """Have these users in the hub's database, each in its group alone, and no others like them."""
    wanted = identities(config)
    for user in db.query(orm.User).filter(orm.User.name.startswith(usernames.JOB)):
        if user.name not in wanted:
            db.delete(user)
    for name, group in wanted.items():
        user = orm.User.find(db, name)
        if user is None:
            user = orm.User(name=name)
            db.add(user)
        found = orm.Group.find(db, group)  # all users are in `everyone`, which is none of the hub's
        user.groups = [found] if found else []
    db.commit()
