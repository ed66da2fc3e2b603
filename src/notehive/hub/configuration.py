"""JupyterHub, configured for Notehive: one function for each topic, each setting what it is for."""

from typing import Any

from notehive.hub import accounts, choosing, core, culling, jobs, metrics, pages, spawner
from notehive.hub.config import HubConfig


def configure(c: Any, config: HubConfig) -> None:
    """Set all of JupyterHub's configuration ``c``."""
    core.update_core(c, config)
    accounts.update_accounts(c, config)
    pages.update_pages(c, config)
    choosing.update_choosing(c, config)
    spawner.update_spawner(c, config)
    culling.update_culling(c, config)
    jobs.update_jobs(c, config)
    metrics.update_metrics(c, config)
