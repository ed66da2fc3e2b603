"""The hub itself: its database, its proxy, its services and who may do what."""

from typing import Any

from notehive.gate.headers import ADMIN_SCOPE, GATE_SCOPE
from notehive.hub.config import HubConfig, read_secret
from notehive.hub.cookies import cookie_settings


def update_core(c: Any, config: HubConfig) -> None:
    """Set what does not depend on how people log in or where servers run."""
    hub = c.JupyterHub
    hub.bind_url = config.url
    # What browsers see: of their requests the hub learns it only as far as each proxy tells.
    hub.public_url = f"{config.url}/"
    if config.subdomains:
        hub.subdomain_host = config.url
        # No server's page can set the cookies of another name; browsers grant that to https.
        hub.cookie_host_prefix_enabled = config.url.startswith("https:")
    hub.hub_bind_url = "http://0.0.0.0:8081"
    # Users' servers and the proxy find the hub by its service name, whatever its address is now.
    hub.hub_connect_url = "http://hub:8081"
    hub.db_url = "postgresql+psycopg://hub@postgres/hub"
    hub.upgrade_db = True  # a new version's schema comes with `up`
    hub.db_kwargs = {"pool_pre_ping": True}  # a restarted PostgreSQL is met with a new connection
    # JupyterHub's own option takes one key; these are what Tornado is given.
    hub.cookie_secret = bytes.fromhex(read_secret("hub-cookie"))
    hub.tornado_settings.update(cookie_settings("hub-cookie"))
    # The password of the database comes from a .pgpass file (PGPASSFILE in stack.yml).
    # A restart of the hub leaves users' servers and the proxy's routes alone.
    hub.cleanup_servers = False
    # Servers let a hub in once its name means its new address, and so not before it answers.
    hub.init_spawners_timeout = 1
    hub.cleanup_proxy = False

    proxy = c.ConfigurableHTTPProxy
    proxy.should_start = False
    proxy.api_url = "http://proxy:8001"
    proxy.auth_token = read_secret("proxy-token")
    # With each look at activity goes a look at the proxy's routes, and a restarted proxy has
    # forgotten them: it gets them back this soon (seconds).
    hub.last_activity_interval = 10

    hub.services.append(
        {
            "name": "gate",
            "api_token": read_secret("gate-token"),
            "oauth_client_id": "service-gate",
            "oauth_redirect_uri": "/gate/oauth_callback",
            "oauth_no_confirm": True,
            # By it services know administrators; JupyterHub grants it to nobody else.
            "oauth_client_allowed_scopes": [ADMIN_SCOPE],
            "display": False,
        }
    )
    hub.load_roles.append({"name": "user", "scopes": ["self", GATE_SCOPE]})
