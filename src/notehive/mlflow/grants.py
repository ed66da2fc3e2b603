"""MLflow's roles and their permissions, made anew for each request from the gate's words."""

from collections.abc import Collection
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.server.auth.entities import Role, RolePermission, User
from mlflow.server.auth.permissions import (
    MANAGE,
    READ,
    RESOURCE_TYPE_WORKSPACE,
    VALID_RESOURCE_TYPES,
)
from mlflow.server.auth.sqlalchemy_store import RoleGrantRow, SqlAlchemyStore

from notehive.mlflow.identity import CURRENT

# In a workspace of one's own: all that MLflow knows. In one that others share: to read all of it.
OF_MEMBERS = [RoleGrantRow(RESOURCE_TYPE_WORKSPACE, "*", MANAGE.name)]
OF_READERS = [
    RoleGrantRow(kind, "*", READ.name)
    for kind in sorted(VALID_RESOURCE_TYPES - {RESOURCE_TYPE_WORKSPACE})
]


class Grants:
    """Stands where MLflow's auth app has its own tables of users, passwords, roles and grants.

    It keeps nothing, so nothing in it can be out of step with the hub's groups. A method of
    MLflow's store that is missing here is one that no open route calls; it would fail.
    """

    _scorer_pattern = staticmethod(SqlAlchemyStore._scorer_pattern)

    def init_db(self, *_: Any, **__: Any) -> None:
        """Make no tables."""

    def has_user(self, *_: Any, **__: Any) -> bool:
        """Say that MLflow need not make an administrator of its own."""
        return True

    def authenticate_user(self, *_: Any, **__: Any) -> bool:
        """Accept no password, whoever gives it."""
        return False

    def get_user(self, username: str) -> User:
        """Give the user who asks; nobody else is known."""
        identity = CURRENT.get()
        if username != identity.user:
            raise MlflowException(f"{username} is not who asks")
        return User(id_=0, username=identity.user, password_hash="", is_admin=identity.admin)

    def list_users(self) -> list[User]:
        """Give no users: MLflow asks for names that a review queue cannot have."""
        return []

    def list_grants(
        self, user_id: int, workspace: str, resource_types: Collection[str]
    ) -> list[RoleGrantRow]:
        """Give what the user who asks may do in a workspace, to these types of things."""
        identity = CURRENT.get()
        if workspace in identity.edits:
            return OF_MEMBERS
        if workspace in identity.reads:
            return [grant for grant in OF_READERS if grant.resource_type in resource_types]
        return []

    def list_accessible_workspace_names(self, username: str | None) -> set[str]:
        """Give the workspaces that are shown to the user who asks."""
        identity = CURRENT.get()
        return {*identity.edits, *identity.reads}

    def list_user_roles(self, user_id: int) -> list[Role]:
        """Give the same as roles: MLflow's page shows by them what can be changed."""
        return [
            Role(
                id_=number,
                name="member" if workspace in CURRENT.get().edits else "reader",
                workspace=workspace,
                permissions=[
                    RolePermission(0, number, *grant)
                    for grant in self.list_grants(user_id, workspace, VALID_RESOURCE_TYPES)
                ],
            )
            for number, workspace in enumerate(sorted(self.list_accessible_workspace_names("")))
        ]

    def grant_user_permission(self, *_: Any, **__: Any) -> None:
        """Give nothing to who makes something: it belongs to the group, not to them."""

    def delete_grants_for_resource(self, *_: Any, **__: Any) -> None:
        """Forget nothing: there are no grants of single things."""

    def rename_grants_for_resource(self, *_: Any, **__: Any) -> None:
        """Rename nothing: there are no grants of single things."""
