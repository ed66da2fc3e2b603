"""/hub/api/accounts where people are kept elsewhere: what is left to say of them here."""

import json

from jupyterhub import roles
from jupyterhub.scopes import needs_scope
from tornado.web import HTTPError

from notehive.hub.account_api import AccountsHandler
from notehive.hub.providers import title
from notehive.usernames import check_user_name


class PeopleHandler(AccountsHandler):
    """All users that the hub knows. Base of the handler of one."""

    @property
    def kept_by(self) -> str:
        """What people know the server by."""
        return title(self.authenticator.server)

    def _approved(self) -> dict[str, bool]:
        return {}


class PersonHandler(PeopleHandler):
    """One user."""

    @needs_scope("admin:users")
    async def put(self, name: str) -> None:
        """Make a user known before the first login, with groups and the right to administer."""
        body = self._body(password=str, admin=bool, groups=list)
        if "password" in body:
            self._refuse_password()
        groups = self._groups(body.get("groups", []))
        try:
            name = check_user_name(name)
        except ValueError as error:
            raise HTTPError(400, str(error)) from None
        created = self.find_user(name) is None
        user = self.user_from_username(name)
        user.admin = user.admin or body.get("admin", False)
        user.orm_user.groups.extend(group for group in groups if group not in user.groups)
        roles.assign_default_roles(self.db, entity=user.orm_user)
        self.db.commit()
        self.set_status(201 if created else 200)
        self.write(json.dumps({"name": name, "password": None, "created": created}))

    @needs_scope("admin:users")
    def patch(self, name: str) -> None:
        """Refuse to set a password, which is not kept here."""
        self._refuse_password()

    @needs_scope("admin:users")
    def delete(self, name: str) -> None:
        """Say that there is no account beside the user."""
        raise HTTPError(404, f"There is no account {name}.")

    def _refuse_password(self) -> None:
        raise HTTPError(400, f"Passwords are kept by {self.kept_by}: change it there.")


api_handlers = [
    (r"/api/accounts", PeopleHandler),
    (r"/api/accounts/([^/]+)", PersonHandler),
]
