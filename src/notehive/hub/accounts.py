"""The accounts' part of the hub's configuration."""

from collections.abc import Mapping, Sequence
from typing import Any

from notehive.hub.account_api import SERVICE
from notehive.hub.authenticator import NotehiveAuthenticator
from notehive.hub.config import HubConfig, read_secret
from notehive.hub.groups import at_login, groups_to_load, members_by_settings
from notehive.settings import Auth
from notehive.usernames import check_user_name

TOKEN = "hub-admin-token"  # noqa: S105 - the name of the Swarm secret


def update_accounts(c: Any, config: HubConfig) -> None:
    """Set who may log in, who administers, which groups there are, and the operator's access.

    Reads the Swarm secret ``hub-admin-token``. Adds to ``c.JupyterHub.services`` and
    ``load_roles``, so whatever else sets them should add as well.
    """
    members = members_by_settings(config)
    c.Authenticator.admin_users = {check_user_name(name) for name in config.admins}
    if config.auth.server is None:
        update_native(c, config.auth, members)
    else:
        # Imported here: what speaks to directories and providers is large.
        from notehive.hub.login_server import update_login_server

        update_login_server(c, config, config.auth.server, members)
    c.JupyterHub.load_groups = groups_to_load(members)
    c.Authenticator.post_auth_hook = at_login(members)

    c.JupyterHub.services.append({"name": SERVICE, "api_token": read_secret(TOKEN)})
    c.JupyterHub.load_roles.append(
        {"name": SERVICE, "scopes": ["admin:users", "admin:servers"], "services": [SERVICE]}
    )


def update_native(c: Any, auth: Auth, members: Mapping[str, Sequence[str]]) -> None:
    """Have the hub keep accounts and passwords itself."""
    c.JupyterHub.authenticator_class = NotehiveAuthenticator
    # The authenticator itself knows who may: those with an approved account.
    c.Authenticator.allow_all = True
    c.NotehiveAuthenticator.enable_signup = auth.sign_up
    c.NotehiveAuthenticator.minimum_password_length = auth.min_password_length
    c.NotehiveAuthenticator.allowed_failed_logins = auth.lock_out.attempts
    c.NotehiveAuthenticator.seconds_before_next_try = auth.lock_out.minutes * 60
    c.NotehiveAuthenticator.defined_groups = members
