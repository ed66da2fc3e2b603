"""Airflow's auth manager: the user is who the gate names, with the rights that the gate tells.

Airflow has no session of its own here. Its own tokens are neither given nor read: who asks, and
what they may, is judged by the headers of each request.
"""

from typing import Any

from airflow.api_fastapi.app import AUTH_MANAGER_FASTAPI_APP_PREFIX
from airflow.api_fastapi.auth.managers.base_auth_manager import BaseAuthManager
from airflow.api_fastapi.auth.managers.models.resource_details import (
    AccessView,
    DagAccessEntity,
    DagDetails,
)
from airflow.api_fastapi.common.types import MenuItem
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from jwt import InvalidTokenError

from notehive.airflow import rights
from notehive.airflow.identity import CURRENT, Identity

# Of Airflow's menu, what shows things of groups. The rest is for administrators.
MENU = {"Dags", "Pools", "Required Actions", "XComs"}


class GateAuthManager(BaseAuthManager[Identity]):
    """What Airflow asks before it does something; Airflow's [core] auth_manager names it.

    Which routes are there to be asked for at all, `notehive.airflow.routes` says.
    """

    async def get_user_from_token(self, token: str) -> Identity:
        """Give who asks, whatever the token."""
        try:
            return CURRENT.get()
        except LookupError:
            raise InvalidTokenError("only Nginx asks here, for a user of the gate") from None

    def revoke_token(self, token: str) -> None:
        """Do nothing: what ends with a log-out is the hub's session."""

    def serialize_user(self, user: Identity) -> dict[str, Any]:
        """Refuse: nobody is given a token."""
        raise NotImplementedError

    def deserialize_user(self, token: dict[str, Any]) -> Identity:
        """Refuse: nobody is believed for a token."""
        raise NotImplementedError

    def get_url_login(self, **_: Any) -> str:
        """Give where Airflow's page goes when it was refused: by the gate, and back."""
        return f"{AUTH_MANAGER_FASTAPI_APP_PREFIX}/login"

    def get_url_logout(self) -> str:
        """Give where one logs out."""
        return "/hub/logout"

    def get_fastapi_app(self) -> FastAPI:
        """Give the page after a login: whoever comes here is logged in, and goes where they were.

        Airflow has checked that this is one of its own pages.
        """
        app = FastAPI(openapi_url=None)

        @app.get("/login")
        def login(request: Request, next: str = "") -> RedirectResponse:  # noqa: A002
            from airflow.api_fastapi.core_api.security import is_safe_url

            home = AUTH_MANAGER_FASTAPI_APP_PREFIX.removesuffix("auth")
            return RedirectResponse(next if next and is_safe_url(next, request) else home)

        return app

    def is_authorized_dag(
        self,
        *,
        method: str,
        user: Identity,
        access_entity: DagAccessEntity | None = None,
        details: DagDetails | None = None,
    ) -> bool:
        """Whether a DAG, or something of it, may be seen or changed."""
        dag = details.id if details else None
        if dag is None and access_entity == DagAccessEntity.AUDIT_LOG:
            return user.admin  # with all that was done, what belongs to no DAG is told too
        return rights.may(user, method, dag)

    def filter_authorized_dag_ids(
        self,
        *,
        dag_ids: set[str],
        user: Identity,
        method: str = "GET",
        team_name: str | None = None,
    ) -> set[str]:
        """Give those DAGs that may be seen or changed."""
        return rights.visible(user, method, dag_ids)

    def is_authorized_asset(self, *, method: str, user: Identity, **_: Any) -> bool:
        """Whether assets may be seen: by the routes that are open, those of a DAG."""
        return method == "GET" or user.admin

    def is_authorized_asset_alias(self, *, method: str, user: Identity, **_: Any) -> bool:
        """Whether aliases of assets may be seen, as assets."""
        return method == "GET" or user.admin

    def is_authorized_pool(self, *, method: str, user: Identity, **_: Any) -> bool:
        """Whether a pool may be changed. Everybody sees what tasks wait for."""
        return method == "GET" or user.admin

    def is_authorized_configuration(self, *, user: Identity, **_: Any) -> bool:
        """Whether Airflow's configuration may be seen."""
        return user.admin

    def is_authorized_connection(self, *, user: Identity, **_: Any) -> bool:
        """Whether connections, which hold passwords, may be used."""
        return user.admin

    def is_authorized_variable(self, *, user: Identity, **_: Any) -> bool:
        """Whether variables may be seen and changed."""
        return user.admin

    def is_authorized_view(self, *, access_view: AccessView, user: Identity, **_: Any) -> bool:
        """Whether something of the whole installation may be seen."""
        return user.admin or access_view == AccessView.WEBSITE

    def is_authorized_custom_view(self, *, user: Identity, **_: Any) -> bool:
        """Whether a page of a plugin may be seen; there is none."""
        return user.admin

    def filter_authorized_menu_items(
        self, menu_items: list[MenuItem], *, user: Identity
    ) -> list[MenuItem]:
        """Give what the page's menu shows."""
        return [item for item in menu_items if user.admin or item.value in MENU]
