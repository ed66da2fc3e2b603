"""Idle servers are stopped: by jupyterhub-idle-culler, as a service in the hub's container.

What "idle" means is judged in each server (`notehive.lab.activity`), which tells the hub.
"""

import sys
from typing import Any

from jupyterhub.proxy import ConfigurableHTTPProxy

from notehive.hub.config import HubConfig
from notehive.settings import Culling

SERVICE = "culler"
SCOPES = ["list:users", "read:users:activity", "read:servers", "delete:servers"]


class RoutesWithoutActivity(ConfigurableHTTPProxy):
    """The proxy, whose routes do not say when they were used.

    JupyterHub would take that for use of the server, and an open page uses its route all the time.
    """

    async def get_all_routes(self) -> dict[str, Any]:
        """Give the routes by their specification."""
        routes: dict[str, Any] = await super().get_all_routes()
        for route in routes.values():
            route["data"].pop("last_activity", None)
        return routes


def command(culling: Culling) -> list[str]:
    """Give the command of the service that stops idle servers."""
    idle = round(culling.idle * 60)
    return [
        *(sys.executable, "-m", "jupyterhub_idle_culler"),
        f"--timeout={idle}",
        f"--cull-every={max(1, min(60, idle // 10))}",
    ]


def server_env(culling: Culling) -> dict[str, str]:
    """Give what a server is told, so that it can tell its user (`notehive.lab.culling`)."""
    if not culling.idle:
        return {}
    return {
        "NOTEHIVE_IDLE_SECONDS": f"{culling.idle * 60:g}",
        "NOTEHIVE_NOTICE_SECONDS": f"{culling.notice * 60:g}",
    }


def update_culling(c: Any, config: HubConfig) -> None:
    """Stop servers that nobody uses."""
    c.JupyterHub.proxy_class = RoutesWithoutActivity
    if config.culling.idle:
        c.JupyterHub.services.append({"name": SERVICE, "command": command(config.culling)})
        c.JupyterHub.load_roles.append({"name": SERVICE, "scopes": SCOPES, "services": [SERVICE]})
