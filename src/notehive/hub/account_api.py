"""/hub/api/accounts: what the operator's command line does with accounts.

In the hub's own process, because the hub caches users, groups and administrators.
"""

import json
from typing import Any

from jupyterhub import orm, roles
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.scopes import needs_scope
from nativeauthenticator.orm import UserInfo
from tornado.web import HTTPError

from notehive.hub.passwords import generate_password
from notehive.hub.sessions import end_sessions
from notehive.settings import EVERYONE
from notehive.usernames import check_user_name, normalize_user_name

SERVICE = "notehive-admin"  # the hub's name for the operator's command line


class AccountsHandler(APIHandler):
    """All accounts. Base of the handler of one."""

    @property
    def kept_by(self) -> str:
        """What people know the server by that keeps the passwords, if it is not the hub itself."""
        return ""

    async def prepare(self) -> None:
        """Let in administrators and the command line, not all who may see some users."""
        await super().prepare()
        asks = self.current_user
        is_service = isinstance(asks, orm.Service) and asks.name == SERVICE
        if asks is not None and not (is_service or asks.admin):
            raise HTTPError(403, "Only administrators manage accounts.")

    @needs_scope("admin:users")
    def get(self) -> None:
        """List users and those who wait for approval, by name."""
        approved = self._approved()
        users = {name: self._describe(name, None, approved) for name in approved}
        for user in self.db.query(orm.User):
            users[user.name] = self._describe(user.name, user, approved)
        listed = [users[name] for name in sorted(users)]
        self.write(json.dumps({"users": listed, "kept_by": self.kept_by}))

    def _approved(self) -> dict[str, bool]:
        """Give the names that have a password here, and whether it opens anything yet."""
        return {a.username: bool(a.is_authorized) for a in UserInfo.all_users(self.db)}

    def _describe(self, name: str, user: Any, approved: dict[str, bool]) -> dict[str, Any]:
        model = self.user_model(user) if user else {}
        return {
            "name": name,
            "admin": bool(model.get("admin")),
            "groups": sorted(model.get("groups", [])),
            "has_password": name in approved,
            "approved": approved.get(name, False),
            "server": "running" if model.get("servers") else "",
            "last_activity": model.get("last_activity"),
        }

    def _body(self, **kinds: type) -> dict[str, Any]:
        """Give the fields of the request's body; missing ones and nulls are left out."""
        body = self.get_json_body() or {}
        if not isinstance(body, dict):
            raise HTTPError(400, "The body is not a JSON object.")
        for key, value in body.items():
            if key not in kinds:
                raise HTTPError(400, f"{key} is unknown; known are {', '.join(kinds)}.")
            if value is not None and not isinstance(value, kinds[key]):
                raise HTTPError(400, f"{key} has the wrong type.")
        return {key: value for key, value in body.items() if value is not None}

    def _groups(self, names: list[Any]) -> list[Any]:
        defined = list(self.authenticator.defined_groups)
        for name in names:
            if name == EVERYONE:
                raise HTTPError(400, f"Every user is in the group {EVERYONE}: leave it out.")
            if name not in defined:
                known = ", ".join(defined) or "none"
                raise HTTPError(
                    400, f"The group {name!s:.60} is not defined in settings.yml; defined: {known}."
                )
        return [orm.Group.find(self.db, name) for name in dict.fromkeys(names)]

    def _generate(self) -> str:
        return generate_password(self.authenticator.minimum_password_length)


class AccountHandler(AccountsHandler):
    """One account."""

    @needs_scope("admin:users")
    async def put(self, name: str) -> None:
        """Make a user who can log in; answer with the password if one was made up."""
        body = self._body(password=str, admin=bool, groups=list)
        groups = self._groups(body.get("groups", []))
        password = body.get("password") or self._generate()
        account = self._account(name)
        if account is not None and account.is_authorized:
            raise HTTPError(409, f"The user {account.username} exists already.")
        try:
            name = check_user_name(name)
            await self.authenticator.create_user(name, password, authorized=True)
        except ValueError as error:
            raise HTTPError(400, str(error)) from None
        user = self.user_from_username(name)
        user.admin = user.admin or body.get("admin", False)
        user.orm_user.groups.extend(group for group in groups if group not in user.groups)
        roles.assign_default_roles(self.db, entity=user.orm_user)
        self.db.commit()
        self.authenticator.add_user(user)
        self.set_status(201)
        given = "password" in body
        self.write(
            json.dumps({"name": name, "password": None if given else password, "created": True})
        )

    @needs_scope("admin:users")
    async def patch(self, name: str) -> None:
        """Set a password and log the user out; answer with the password if it was made up."""
        body = self._body(password=str)
        password = body.get("password") or self._generate()
        account = self._account(name)
        if account is None:
            raise HTTPError(404, f"There is no account {name}.")
        if not account.is_authorized:
            raise HTTPError(409, f"The account {name} is waiting for approval.")
        name = account.username
        try:
            await self.authenticator.change_password(name, password)
        except ValueError as error:
            raise HTTPError(400, str(error)) from None
        if (user := orm.User.find(self.db, name)) is not None:
            end_sessions(self.db, user)
        made_up = None if "password" in body else password
        self.write(json.dumps({"name": name, "password": made_up}))

    @needs_scope("admin:users")
    def delete(self, name: str) -> None:
        """Remove an account that is no user of the hub: one that waits for approval."""
        account = self._account(name)
        if account is None:
            raise HTTPError(404, f"There is no account {name}.")
        if orm.User.find(self.db, account.username) is not None and account.is_authorized:
            raise HTTPError(409, f"{name} is a user of the hub: remove the user.")
        self.db.delete(account)
        self.db.commit()
        self.set_status(204)

    def _account(self, name: str) -> UserInfo | None:
        return UserInfo.find(self.db, normalize_user_name(name))


api_handlers = [
    (r"/api/accounts", AccountsHandler),
    (r"/api/accounts/([^/]+)", AccountHandler),
]
