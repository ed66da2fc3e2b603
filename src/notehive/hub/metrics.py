"""What Prometheus may ask of the hub, and what the hub tells beside JupyterHub's own figures."""

from collections.abc import Iterator
from typing import Any

from jupyterhub import orm
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from notehive import naming, usernames
from notehive.hub.config import HubConfig, read_secret


def update_metrics(c: Any, config: HubConfig) -> None:
    """Let Prometheus read the hub's metrics, by a token of its own, and nothing else."""
    if not config.services.prometheus:
        return
    c.JupyterHub.services.append(
        {"name": "prometheus", "api_token": read_secret("metrics-token"), "display": False}
    )
    c.JupyterHub.load_roles.append(
        {"name": "prometheus", "scopes": ["read:metrics"], "services": ["prometheus"]}
    )


class People:
    """Users with their homes and groups: a home is called by a digest, and bills are by name."""

    def __init__(self, db: Any) -> None:
        self.db = db

    def collect(self) -> Iterator[Metric]:
        """Give a series for each user, and for each that is in a group beside `everyone`."""
        users = GaugeMetricFamily(
            "notehive_user_info",
            "A user, and the directory that is their home; always 1.",
            labels=["user", "directory"],
        )
        members = GaugeMetricFamily(
            "notehive_group_member",
            "A user who is in a group; always 1.",
            labels=["group", "user"],
        )
        for (user,) in self.db.query(orm.User.name):
            if not usernames.group_of_job(user):
                users.add_metric([user, naming.home(user).removeprefix("homes/")], 1)
        for group, user in self.db.query(orm.Group.name, orm.User.name).join(orm.Group.users):
            if not usernames.group_of_job(user):
                members.add_metric([group, user], 1)
        yield from (users, members)
