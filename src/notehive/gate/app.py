"""The gate's handlers. Nginx asks ``/gate/check`` before each request to a guarded service.

A person is known by the gate's cookie, which JupyterHub's OAuth gave; a program by a JupyterHub
token. Answers of the hub are cached for seconds, so that a log-out or a revoked token takes
effect soon after.
"""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from typing import Any

from jupyterhub.services.auth import HubOAuth, HubOAuthCallbackHandler
from tornado.web import Application, HTTPError, RequestHandler

from notehive.gate.headers import ADMIN, GATE_SCOPE, told
from notehive.hub.config import read_secret
from notehive.hub.cookies import cookie_settings
from notehive.settings import Group

COOKIE = "notehive-gate"
CACHE_SECONDS = 5
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
LOGIN_URL = "/gate/login"


class GateOAuth(HubOAuth):
    """JupyterHub's OAuth for services, with one cookie for every page."""

    cookie_name = COOKIE
    cookie_path = "/"


def make_auth() -> GateOAuth:
    """Give the OAuth client; where the hub is comes from the environment, the token is a secret."""
    return GateOAuth(
        api_url=os.environ.get("JUPYTERHUB_API_URL", "http://hub:8081/hub/api"),
        api_token=read_secret("gate-token"),
        oauth_client_id="service-gate",
        base_url="/gate/",
        cookie_options={"samesite": "Lax"},
        cache_max_age=CACHE_SECONDS,
        access_scopes={"access:services", GATE_SCOPE},
    )


def same_origin(method: str, upgrade: str, headers: Any) -> bool:
    """Whether a request that a cookie vouches for was made by a page of this site.

    Browsers send ``Sec-Fetch-Site``, or at least ``Origin`` with what changes something; a
    request with neither is refused, so that the answer does not depend on the browser's age.
    """
    if method in SAFE_METHODS and not upgrade:
        return True
    if site := headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    origin, host = headers.get("Origin", ""), headers.get("Host", "")
    return bool(host) and origin in (f"http://{host}", f"https://{host}")


def basic_password(authorization: str) -> str:
    """Give the password of an `Authorization: Basic` header: a token, for programs like git."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials, validate=True).decode("ascii").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def local_path(url: str) -> str:
    """The URL if it is a path of this site, else the front page: no redirects to elsewhere."""
    if re.fullmatch(r"/(?![/\\])[^\x00-\x20\\]*", url):
        return url
    return "/"


class GateHandler(RequestHandler):
    """What the handlers share: the OAuth client and the identity of a request."""

    @property
    def hub_auth(self) -> GateOAuth:
        """The OAuth client."""
        return self.settings["hub_auth"]

    async def identify(self) -> dict[str, Any] | None:
        """The hub's model of the user or service that asks; None if there is none."""
        headers = self.request.headers
        token = self.hub_auth.get_token(self, in_cookie=False)
        if not token:
            token = basic_password(headers.get("Authorization", ""))
            # A browser adds cookies by itself, and passwords too once it has them; a program that
            # has a password says nothing of pages.
            by_browser = not token or "Origin" in headers or "Sec-Fetch-Site" in headers
            if by_browser and not same_origin(
                headers.get("X-Original-Method", "GET"),
                headers.get("X-Original-Upgrade", ""),
                headers,
            ):
                raise HTTPError(403, "a page of another site made this request")
        if not token:
            cookie = self.get_signed_cookie(COOKIE)
            token = cookie.decode() if cookie else ""
        if not token:
            return None
        session = self.hub_auth.get_session_id(self)
        model = await self.hub_auth.user_for_token(token, session_id=session, sync=False)
        return dict(model) if model else None


class CheckHandler(GateHandler):
    """Nginx's question. 200 and who it is; 401: log in; 403: known, but not allowed."""

    async def get(self) -> None:
        """Answer for the request described by the headers X-Original-* and X-Only."""
        model = await self.identify()
        if model is None:
            raise HTTPError(401)
        allowed = self.hub_auth.check_scopes(self.hub_auth.access_scopes, model)
        if not allowed or model["kind"] != "user":  # a service of the hub may have a user's name
            raise HTTPError(403, "this token does not reach the pages behind the gate")
        words = told(model, self.settings["groups"])
        if self.request.headers.get("X-Only") == "administrators" and not words[ADMIN]:
            raise HTTPError(403, "this page is for administrators")
        for header, value in words.items():
            self.set_header(header, value)


class LoginHandler(GateHandler):
    """Where Nginx sends a browser that nobody vouches for."""

    async def get(self) -> None:
        """Go to the hub's login and come back to ``next``."""
        # All after "next=" belongs to it: Nginx does not encode what it puts there.
        target = local_path(self.request.query.removeprefix("next="))
        verifier, challenge, method = self.hub_auth.generate_pkce_code_challenge()
        state = self.hub_auth.set_state_cookie(self, next_url=target, code_verifier=verifier)
        self.redirect(
            f"{self.hub_auth.login_url}&state={state}"
            f"&code_challenge={challenge}&code_challenge_method={method}"
        )


class CallbackHandler(GateHandler, HubOAuthCallbackHandler):
    """Where the hub sends the browser back."""


class HealthHandler(RequestHandler):
    """For the health check of the service."""

    def get(self) -> None:
        """Say that the gate answers."""
        self.finish("ok\n")


def make_app(groups: Mapping[str, Group]) -> Application:
    """The gate as a Tornado application; ``groups`` are those of the settings."""
    return Application(
        [
            (r"/gate/check", CheckHandler),
            (r"/gate/login", LoginHandler),
            (r"/gate/oauth_callback", CallbackHandler),
            (r"/gate/health", HealthHandler),
        ],
        hub_auth=make_auth(),
        groups=groups,
        # Signed with a kept secret: a restart of the gate logs nobody out.
        **cookie_settings("gate-cookie"),
        login_url=LOGIN_URL,
    )
