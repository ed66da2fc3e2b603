"""What the jobs of one process share: connections, one watch, what the platform is told."""

import os
from dataclasses import dataclass, field

from aiohttp import ClientSession, TCPConnector

from notehive.hub.config import HubConfig, read_secret
from notehive.hub.engine import Engine
from notehive.jobs.identity import Identities
from notehive.jobs.runs import Runs
from notehive.jobs.watch import JobWatch

VERSION = "/v1.41"  # of the engine's API


@dataclass(frozen=True)
class Platform:
    """Whom a job asks."""

    config: HubConfig
    watch: JobWatch
    session: ClientSession
    identities: Identities
    runs: Runs
    engine_url: str  # where logs come from
    followed: set[str] = field(default_factory=set)  # names of the jobs that this process follows

    @property
    def engine(self) -> Engine:
        """The engine, for all but logs."""
        return self.watch.engine


def make() -> Platform:
    """Give one for the running event loop, by this container's configuration and secrets."""
    config = HubConfig.load()
    session = ClientSession(connector=TCPConnector(limit=0))  # each log that is read is one
    return Platform(
        config=config,
        watch=JobWatch(Engine(), config.stack),
        session=session,
        identities=Identities(session, read_secret("jobs-token")),
        runs=Runs(session, read_secret("runs-token")),
        engine_url=os.environ["DOCKER_HOST"].replace("tcp://", "http://") + VERSION,
    )
