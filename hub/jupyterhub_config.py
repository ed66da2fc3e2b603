"""JupyterHub's own configuration file; what it says is in src/notehive/hub/."""

from pathlib import Path

from notehive.hub.config import HubConfig
from notehive.hub.configuration import configure

configure(c, HubConfig.load())  # type: ignore[name-defined]  # noqa: F821

# What an operator adds wins.
for own in sorted((Path(__file__).parent / "jupyterhub_config.d").glob("*.py")):
    load_subconfig(str(own))  # type: ignore[name-defined]  # noqa: F821
