"""The part of the hub's configuration about the directory or provider that people log in with."""

from collections.abc import Mapping, Sequence
from typing import Any

from ldapauthenticator.ldapauthenticator import TlsStrategy

from notehive.hub.config import HubConfig, read_keys, read_secret
from notehive.hub.ldap import LdapAuthenticator
from notehive.hub.oauth import GithubAuthenticator, OidcAuthenticator
from notehive.hub.providers import directory, ldap_port, provider, title
from notehive.settings import Ldap, LockOut, OAuth

PASSWORD = "login-password"  # noqa: S105 - the name of the Swarm secret: what we are known by there
STATE_KEY = "hub-state"  # the secret that what is kept of each user is encrypted with
STRATEGIES = {
    "start": TlsStrategy.before_bind,
    "on": TlsStrategy.on_connect,
    "off": TlsStrategy.insecure,
}


def update_login_server(
    c: Any, config: HubConfig, server: Ldap | OAuth, members: Mapping[str, Sequence[str]]
) -> None:
    """Set what does not depend on the kind of server, then the rest."""
    c.Identity.told = server
    c.Identity.defined_groups = members
    c.Authenticator.any_allow_config = True  # `Identity` itself knows who may
    c.Authenticator.allow_existing_users = False
    c.Authenticator.enable_auth_state = True
    c.CryptKeeper.keys = [bytes.fromhex(key) for key in read_keys(STATE_KEY).values()]
    c.Authenticator.auth_refresh_age = server.refresh
    c.Authenticator.auth_refresh_strict = True  # whom the server no longer knows has no rights
    c.Authenticator.refresh_pre_spawn = False  # a start would wait for it
    if isinstance(server, Ldap):
        update_ldap(c, config, server, config.auth.lock_out)
    else:
        update_oauth(c, config, server)


def update_ldap(c: Any, config: HubConfig, ldap: Ldap, lock_out: LockOut) -> None:
    """Have a directory say who is who."""
    here = c.LdapAuthenticator
    usual = directory(ldap)
    c.JupyterHub.authenticator_class = LdapAuthenticator
    here.server_address = ldap.server
    here.server_port = ldap_port(ldap)
    here.tls_strategy = STRATEGIES[ldap.tls]
    here.ca = config.login_ca
    here.valid_username_regex = "."  # ours are stricter; the parent escapes what is left
    here.user_attribute = here.lookup_dn_user_dn_attribute = usual.user_attribute
    here.user_filter = usual.user_filter
    here.subject_attribute = usual.subject_attribute
    here.group_base = ldap.group_base
    here.group_filter = usual.group_filter
    here.allowed_failed_logins = lock_out.attempts
    here.seconds_before_next_try = lock_out.minutes * 60
    if ldap.user_dn:
        here.bind_dn_template = ldap.user_dn
        c.Authenticator.auth_refresh_age = 0  # nobody may ask but the person, with the password
        return
    here.lookup_dn = True
    here.user_search_base = ldap.user_base
    literal = usual.user_filter.replace("{", "{{").replace("}", "}}")
    here.lookup_dn_search_filter = f"(&{literal}({{login_attr}}={{login}}))"
    if ldap.bind_dn:
        here.lookup_dn_search_user = ldap.bind_dn
        here.lookup_dn_search_password = read_secret(PASSWORD)


def update_oauth(c: Any, config: HubConfig, oauth: OAuth) -> None:
    """Have a provider say who is who."""
    usual = provider(oauth)
    here = c.OAuthenticator
    here.login_service = title(oauth)
    here.oauth_callback_url = f"{config.url}/hub/oauth_callback"
    here.client_id = oauth.client_id
    here.client_secret = read_secret(PASSWORD)
    here.scope = list(usual.scopes)
    here.extra_authorize_params = dict(usual.parameters)
    c.OAuthIdentity.ca = config.login_ca
    if oauth.provider == "github":
        c.JupyterHub.authenticator_class = GithubAuthenticator
        c.GithubAuthenticator.github_url = usual.url
    else:
        c.JupyterHub.authenticator_class = OidcAuthenticator
