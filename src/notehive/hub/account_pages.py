"""The hub's pages about accounts: ask for one, approve those who asked, change a password."""

from typing import Any

from jupyterhub.handlers import BaseHandler
from jupyterhub.scopes import needs_scope
from nativeauthenticator.orm import UserInfo
from tornado.web import HTTPError, authenticated

from notehive.hub.sessions import end_sessions


class SignUpHandler(BaseHandler):
    """/hub/signup: anybody asks for an account."""

    async def prepare(self) -> None:
        """Refuse both methods where sign-up is switched off."""
        await super().prepare()
        if not self.authenticator.enable_signup:
            raise HTTPError(404)

    async def get(self) -> None:
        """Show the form."""
        await self._show()

    async def post(self) -> None:
        """Keep the account, which then waits for approval."""
        name = self.get_body_argument("username", "")
        password = self.get_body_argument("password", "", strip=False)
        if password != self.get_body_argument("password_again", "", strip=False):
            return await self._refuse("The two passwords differ: type the same one twice.", name)
        try:
            account = await self.authenticator.create_user(name, password)
        except ValueError as error:
            return await self._refuse(str(error), name)
        self.log.info("%s asked for an account", account.username)
        return await self._show(asked=account.username)

    async def _refuse(self, error: str, name: str) -> None:
        self.set_status(400)
        await self._show(error=error, username=name)

    async def _show(self, **values: Any) -> None:
        shortest = self.authenticator.minimum_password_length
        self.finish(await self.render_template("signup.html", shortest=shortest, **values))


class AuthorizeHandler(BaseHandler):
    """/hub/authorize: administrators approve or discard those who asked."""

    @authenticated
    @needs_scope("admin:users")
    async def get(self) -> None:
        """List who waits for approval."""
        waiting = [
            {"name": account.username, "groups": self._groups_of(account.username)}
            for account in self.authenticator.pending()
        ]
        self.finish(await self.render_template("authorize.html", waiting=waiting))

    @authenticated
    @needs_scope("admin:users")
    async def post(self) -> None:
        """Approve or discard one account; one that is gone meanwhile is no error."""
        action = self.get_body_argument("action")
        account = UserInfo.find(self.db, self.get_body_argument("username", strip=False))
        if action not in ("approve", "discard"):
            raise HTTPError(400, "The action is approve or discard.")
        # An account in use is removed on the page Admin, which also stops its server.
        if account is not None and not account.is_authorized:
            self.log.info("%s: %s %s", self.current_user.name, action, account.username)
            if action == "approve":
                await self._approve(account)
            else:
                self.db.delete(account)
                self.db.commit()
        self.redirect(self.hub.base_url + "authorize", status=303)

    async def _approve(self, account: UserInfo) -> None:
        account.is_authorized = True
        self.db.commit()
        # A user from now on, so that the page Admin lists them before their first login.
        self.authenticator.add_user(self.user_from_username(account.username))

    def _groups_of(self, name: str) -> list[str]:
        """Groups that settings.yml gives to this name: who approves, grants their rights."""
        user = self.find_user(name)
        return sorted(group.name for group in user.groups) if user else []


class ChangePasswordHandler(BaseHandler):
    """/hub/change-password: one's own."""

    @authenticated
    async def get(self) -> None:
        """Show the form."""
        await self._show(changed=self.get_argument("changed", "") == "yes")

    @authenticated
    async def post(self) -> None:
        """Change the password and log the user out everywhere else."""
        user = self.current_user
        password = self.get_body_argument("password", "", strip=False)
        if password != self.get_body_argument("password_again", "", strip=False):
            return await self._refuse("The two new passwords differ: type the same one twice.")
        current = self.get_body_argument("current_password", "", strip=False)
        try:
            await self.authenticator.verify(user.name, current)
            await self.authenticator.change_password(user.name, password)
        except HTTPError as error:
            locked = self.authenticator.failed_logins.locked_for(user.name)
            return await self._refuse(
                error.get_message() if locked else "Your current password is wrong."
            )
        except ValueError as error:
            return await self._refuse(str(error))
        end_sessions(self.db, user.orm_user, keep=self.get_session_cookie())
        self.set_login_cookie(user)
        self.log.info("%s changed their password", user.name)
        self.redirect(self.hub.base_url + "change-password?changed=yes", status=303)
        return None

    async def _refuse(self, error: str) -> None:
        self.set_status(400)
        await self._show(error=error)

    async def _show(self, **values: Any) -> None:
        shortest = self.authenticator.minimum_password_length
        self.finish(await self.render_template("change-password.html", shortest=shortest, **values))


page_handlers = [
    (r"/signup", SignUpHandler),
    (r"/authorize", AuthorizeHandler),
    (r"/change-password", ChangePasswordHandler),
]
