"""Accounts that the hub itself keeps: who may log in, and with which password."""

import time
from typing import Any

import bcrypt
import traitlets
from jupyterhub import orm
from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.orm import UserInfo
from tornado.web import HTTPError

from notehive.hub.account_api import api_handlers
from notehive.hub.account_pages import page_handlers
from notehive.hub.failed_logins import FailedLogins
from notehive.hub.groups import drop_former_members
from notehive.hub.guesses import WRONG, Guesses, name_and_password
from notehive.hub.names import Names
from notehive.hub.passwords import check_new_password, hash_password, is_password
from notehive.hub.storage_api import storage_handlers
from notehive.usernames import check_user_name

WAITING = "Your account is waiting for an administrator's approval."
MOST_PENDING = 200  # sign-ups are open to anybody, so what they leave behind has a bound


class NotehiveAuthenticator(Names, NativeAuthenticator):
    """NativeAuthenticator's accounts behind JupyterHub's own login page.

    Of the parent it keeps the table of accounts, the settings and the list of common
    passwords. The rest is replaced: its login page needs a metric that JupyterHub 6 lacks,
    its lock never counts from zero again, its sign-up approves whoever takes the name of an
    administrator, and its approval changes state on GET.
    """

    defined_groups = traitlets.Dict(
        config=True, help="Groups of the settings, with the members that the settings name."
    )
    password_rounds = traitlets.Integer(12, config=True, help="Cost of a hash, as log2.")
    clock = traitlets.Any(time.monotonic, config=True, help="Gives seconds; for tests.")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.failed_logins = FailedLogins(
            self.allowed_failed_logins, self.seconds_before_next_try, self.clock
        )
        drop_former_members(self.db, self.defined_groups)
        self.guesses = Guesses(self.failed_logins)
        # What the passwords of unknown users are compared with, to take the same time.
        self._nobodys_hash = bcrypt.hashpw(b"", bcrypt.gensalt(self.password_rounds))

    async def authenticate(self, handler: Any, data: Any) -> str:
        """Give the name of the user who logs in, or raise 403 with a message for them.

        ``data`` is what came from the login form or, by the REST API, any JSON.
        """
        account = await self.verify(*name_and_password(data))
        if not account.is_authorized:
            raise HTTPError(403, WAITING)
        return str(account.username)

    async def verify(self, name: str, password: str) -> UserInfo:
        """Give the account that has this name and password, approved or not.

        Raises 403 for any other, and for a name that is locked. What it says and how long
        it takes do not tell whether there is such an account.
        """
        name = self.normalize_username(name)
        if not self.validate_username(name):
            await is_password(password, self._nobodys_hash)
            raise HTTPError(403, WRONG)
        async with self.guesses.turn(name):
            account = self.get_user(name)
            hashed = account.password if account else self._nobodys_hash
            right = await is_password(password, hashed)
            account = self.get_user(name)  # it can have been removed meanwhile
            if not (right and account):
                self.log.warning("Failed login of %s", name)
                raise self.guesses.wrong(name)
            self.guesses.right(name)
            return account

    async def create_user(
        self, username: str, password: str, *, authorized: bool = False
    ) -> UserInfo:
        """Make an account, in place of one that waits for approval if ``authorized``.

        Raises ValueError with a sentence for a name or a password that cannot be.
        Nobody is approved by name: that was the parent's hole.
        """
        name = check_user_name(username)
        self.check_password(name, password)
        self._refuse_if_taken(name, authorized)
        hashed = await hash_password(password, self.password_rounds)
        self._refuse_if_taken(name, authorized)  # another request may have been faster
        if (pending := self.get_user(name)) is not None:
            self.db.delete(pending)
        account = UserInfo(username=name, password=hashed, is_authorized=authorized)
        self.db.add(account)
        self.db.commit()
        self.failed_logins.forget(name)
        return account

    def _refuse_if_taken(self, name: str, authorized: bool) -> None:
        account = self.get_user(name)
        if account is not None and (account.is_authorized or not authorized):
            raise ValueError(f"The user name {name} is taken.")
        if not authorized and self._is_administrator(name):
            # Whoever approves should not have to notice that this name comes with rights.
            raise ValueError(f"The user name {name} is taken.")
        if not authorized and len(self.pending()) >= MOST_PENDING:
            raise ValueError("Too many people are waiting for approval: ask an administrator.")

    def _is_administrator(self, name: str) -> bool:
        user = orm.User.find(self.db, name)
        return name in self.admin_users or (user is not None and bool(user.admin))

    async def change_password(self, username: str, new_password: str) -> None:
        """Set a password. Raises ValueError with a sentence for one that is not accepted."""
        name = self.normalize_username(username)
        self.check_password(name, new_password)
        hashed = await hash_password(new_password, self.password_rounds)
        account = self.get_user(name)
        if account is None:
            raise ValueError(f"There is no account {name}.")
        account.password = hashed
        self.db.commit()
        self.failed_logins.forget(name)

    def check_password(self, name: str, password: str) -> None:
        """Raise ValueError with a sentence for a password that is not accepted."""
        check_new_password(
            password,
            name=name,
            shortest=self.minimum_password_length,
            is_common=self.is_password_common(password.lower()),
        )

    def pending(self) -> list[UserInfo]:
        """Give the accounts that wait for approval, the oldest first."""
        query = self.db.query(UserInfo).filter(UserInfo.is_authorized.is_not(True))
        return list(query.order_by(UserInfo.id))

    def get_handlers(self, app: Any) -> list[tuple[str, Any]]:
        """Give our pages and API. /login and /logout stay JupyterHub's own."""
        return [*page_handlers, *api_handlers, *storage_handlers]
