"""JupyterHub, and what Notehive does beside it in the same process."""

from typing import Any

from jupyterhub import orm
from jupyterhub.app import JupyterHub
from prometheus_client import REGISTRY
from tornado.ioloop import PeriodicCallback

from notehive.hub import jobs
from notehive.hub.metrics import People
from notehive.hub.sweep import sweep
from notehive.hub.watch import shared

SWEEP_SECONDS = 60


class NotehiveHub(JupyterHub):
    """JupyterHub that leaves no server behind."""

    name = "jupyterhub"  # of its log and its configuration file
    sweeper: PeriodicCallback | None = None

    async def init_api_tokens(self) -> None:
        """Know the tokens of services that the configuration says, and no former ones."""
        await super().init_api_tokens()
        told = [orm.APIToken.find(self.db, token).id for token in self.service_tokens]
        self.db.query(orm.APIToken).filter(
            orm.APIToken.service_id.is_not(None),
            orm.APIToken.note == "from config",
            orm.APIToken.id.not_in(told),
        ).delete()
        self.db.commit()

    async def init_groups(self) -> None:
        """Know the groups of the settings, and the users who are the groups' jobs."""
        await super().init_groups()
        if platform := self.config.NotehiveSpawner.get("platform"):
            jobs.ensure_identities(self.db, platform)

    async def start(self) -> None:
        """Start the hub, then sweep, and again every minute."""
        await super().start()
        platform = self.config.NotehiveSpawner.get("platform")
        if platform is None:
            return  # another spawner, or a subcommand
        REGISTRY.register(People(self.db))
        self.sweeper = PeriodicCallback(self.sweep, SWEEP_SECONDS * 1000)
        self.sweeper.start()
        await self.sweep()

    async def sweep(self) -> None:
        """Remove what belongs to no server of ours."""
        platform: Any = self.config.NotehiveSpawner.platform
        try:
            for name in await sweep(shared(platform.stack).engine, platform.stack, self.users):
                self.log.warning("removed %s, which belonged to no server", name)
        except Exception:  # the next one may succeed
            self.log.exception("The sweep failed")
