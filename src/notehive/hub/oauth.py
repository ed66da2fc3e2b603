"""Logins by a provider of OAuth: whoever speaks OpenID Connect, and GitHub, which does not."""

import ssl
from typing import Any

import traitlets
from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.github import GitHubOAuthenticator
from oauthenticator.oauth2 import OAuthenticator, OAuthLoginHandler, OAuthLogoutHandler
from tornado.httpclient import HTTPClientError
from tornado.httputil import url_concat
from tornado.web import HTTPError

from notehive.hub.identity import JSON, ExpiredError, Groups, Identity, UnreachableError
from notehive.hub.providers import Provider, provider
from notehive.settings import OAuth
from notehive.usernames import check_user_name

SECONDS = 10  # for each answer of the provider


class LoginHandler(OAuthLoginHandler):
    """/hub/oauth_login: on to the provider."""

    async def get(self) -> None:
        """Learn where its login page is, and go there."""
        await self.authenticator.discover()
        super().get()


class LogoutHandler(OAuthLogoutHandler):
    """/hub/logout: out here, and at the provider as well if the settings say so."""

    id_token = ""

    async def handle_logout(self) -> None:
        """Remember whom the provider should log out."""
        await super().handle_logout()
        if self.current_user and self.authenticator.server.end_session:
            state = await self.current_user.get_auth_state() or {}
            self.id_token = state.get("id_token") or ""
            await self.authenticator.discover()

    async def render_logout_page(self) -> None:
        """Go to the provider's log-out, which leads back; or say that only here it is over."""
        there = self.authenticator.end_session_url
        if not (self.id_token and there):
            self.finish(await self.render_template("logout.html"))
            return
        back = self.authenticator.oauth_callback_url.removesuffix("oauth_callback") + "login"
        wanted = {"id_token_hint": self.id_token, "post_logout_redirect_uri": back}
        self.redirect(url_concat(there, wanted))


class OAuthIdentity(Identity):
    """What OAuth's two kinds of provider have in common here."""

    login_handler = LoginHandler
    logout_handler = LogoutHandler
    ca = traitlets.Unicode(config=True, help="Certificates, in PEM form; the system's if empty.")
    end_session_url = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.usual: Provider = provider(self.server)
        self.groups_by_name = self.usual.groups_by_name
        self.source = f"oauth {self.usual.url}"
        limits: JSON = {"connect_timeout": SECONDS, "request_timeout": SECONDS}
        if self.ca:
            limits["ssl_options"] = ssl.create_default_context(cadata=self.ca)
        self.http_request_kwargs = limits

    @property
    def server(self) -> OAuth:
        """What the settings say of the provider."""
        return self.told

    async def discover(self) -> None:
        """Learn the provider's addresses, if they are not known yet."""

    async def authenticate(self, handler: Any, data: Any = None, **kwargs: Any) -> JSON:
        """Give the person with whom the provider sends the browser back."""
        await self.discover()
        try:
            return await super().authenticate(handler, data, **kwargs)
        except (HTTPClientError, OSError) as error:
            self.log.error("The provider %s: %s", self.usual.url, error)
            raise UnreachableError from None

    def user_info_to_username(self, user_info: JSON) -> str:
        """Give the name that the provider vouches for, or raise 403 with a sentence.

        Nothing is cut off or replaced, for two people could then have one name.
        """
        claim = self.usual.username_claim
        name = user_info.get(claim)
        if not isinstance(name, str) or not name:
            self.log.error("The provider gives no %s; it gives %s", claim, ", ".join(user_info))
            raise HTTPError(403, f"The provider does not tell your {claim}.")
        # Somebody else's address is easily written; what counts is that the mail arrived.
        if claim == "email" and user_info.get("email_verified") not in (True, "true"):
            raise HTTPError(403, f"The provider has not verified your address {name}.")
        try:
            return check_user_name(name)
        except ValueError as error:
            raise HTTPError(403, f"You cannot be {name} here. {error}") from None

    async def update_auth_model(self, auth_model: JSON) -> JSON:
        """Put what we need of the provider's claims into the state, and leave out the rest."""
        auth_model = await super().update_auth_model(auth_model)
        state = auth_model["auth_state"]
        claims = state.pop(self.user_auth_state_key)
        allowed = self.server.allowed_domains
        if allowed and claims.get("hd") not in allowed:
            raise HTTPError(403, f"Log in with an account of {' or '.join(allowed)}.")
        state["subject"] = str(claims.get(self.usual.subject_claim, ""))
        state["groups"] = await self.groups(claims, state)
        return auth_model

    async def groups(self, claims: JSON, state: JSON) -> Groups:
        """Give the groups of the person whom these claims are about."""
        found: Any = claims
        for part in self.usual.groups_claim.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return [[name] for name in found or () if isinstance(name, str)]

    async def ask_about(self, user: Any, handler: Any) -> JSON | None:
        """Ask the provider with the token that it gave at the login."""
        state = await user.get_auth_state() or {}
        if state.get("source") != self.source:
            raise ExpiredError
        await self.discover()
        try:
            model = await OAuthenticator.refresh_user(self, user, handler)
        except (HTTPClientError, OSError) as error:
            self.log.error("The provider %s: %s", self.usual.url, error)
            raise UnreachableError from None
        if not model:
            raise ExpiredError
        said: JSON = model["auth_state"]
        return said if model["name"] == user.name else None


class OidcAuthenticator(OAuthIdentity, GenericOAuthenticator):
    """Any provider that speaks OpenID Connect, GitLab and Google among them."""

    _is_described = False

    async def discover(self) -> None:
        """Read the provider's own description of itself, once."""
        if self._is_described:
            return
        try:
            found = await self.httpfetch(f"{self.usual.url}/.well-known/openid-configuration")
            authorize, token = found["authorization_endpoint"], found["token_endpoint"]
            userinfo = found["userinfo_endpoint"]
        except (HTTPClientError, OSError, ValueError, KeyError, TypeError) as error:
            self.log.error("The provider %s does not describe itself: %r", self.usual.url, error)
            raise UnreachableError from None
        self.end_session_url = found.get("end_session_endpoint", "")
        self.authorize_url, self.token_url, self.userdata_url = authorize, token, userinfo
        self._is_described = True


class GithubAuthenticator(OAuthIdentity, GitHubOAuthenticator):
    """GitHub. Groups are organizations, like ``org``, and their teams, like ``org:team``."""

    async def groups(self, claims: JSON, state: JSON) -> Groups:
        """Ask for organizations and teams, which the claims do not list."""
        token = state["token_response"]
        asked = token["access_token"], token["token_type"]
        organizations = await self._paginated_fetch(
            f"{self.github_api}/user/orgs?per_page=100", *asked
        )
        teams = await self._paginated_fetch(f"{self.github_api}/user/teams?per_page=100", *asked)
        return [
            *([found["login"]] for found in organizations),
            *([f"{found['organization']['login']}:{found['slug']}"] for found in teams),
        ]
