"""JupyterHub's own configuration file; what it says is in src/notehive/hub/."""

from notehive.hub import configure
from notehive.hub.config import HubConfig

configure(c, HubConfig.load())  # type: ignore[name-defined]  # noqa: F821
