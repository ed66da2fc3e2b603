"""Where a server's runs go: MLflow's address and the workspace of one of the user's groups."""

from collections.abc import Set

from notehive.hub.config import HubConfig
from notehive.hub.sharing import own
from notehive.settings import EVERYONE


def server_env(config: HubConfig, groups: Set[str]) -> dict[str, str]:
    """Give the variables of MLflow's client for a server of a member of these groups."""
    env = {"MLFLOW_TRACKING_URI": f"{config.url}/mlflow"}
    group = own(config.groups, groups)
    if group == EVERYONE:
        return env  # MLflow's own workspace, `default`
    # Experiment 0, where runs go that name none, is in `default`; other workspaces get one by name.
    return env | {"MLFLOW_WORKSPACE": group, "MLFLOW_EXPERIMENT_NAME": "Default"}
