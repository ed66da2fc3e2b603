"""What Prometheus may ask of the hub."""

from typing import Any

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
