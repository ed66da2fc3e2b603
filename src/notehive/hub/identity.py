"""People who are kept elsewhere: who may come, who is who, and what they may do here.

Of each, JupyterHub keeps a state, encrypted: `source` and `subject`, which say whose name this
is; `given` and `admin`, which say what came from there and goes when it is no longer there.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import Any
from weakref import WeakValueDictionary

import traitlets
from tornado.web import HTTPError

from notehive import usernames
from notehive.hub.directory_api import api_handlers
from notehive.hub.groups import drop_former_members, follow
from notehive.hub.names import Names
from notehive.hub.sessions import end_sessions
from notehive.hub.storage_api import storage_handlers
from notehive.settings import Ldap, OAuth

JSON = dict[str, Any]
Groups = list[list[str]]  # of a person, there: each with all the names that it goes by


class UnreachableError(HTTPError):
    """The server cannot be asked now; what it would say is not known."""

    def __init__(self) -> None:
        super().__init__(
            503, "Logins cannot be checked just now: try again, or tell your administrator."
        )


class ExpiredError(Exception):
    """The server says nothing about this user before they have logged in again."""


class Identity(Names):
    """An authenticator whose people are kept elsewhere. Base of those for LDAP and OAuth."""

    told = traitlets.Any(config=True, help="auth.ldap or auth.oauth of the settings.")
    defined_groups = traitlets.Dict(
        config=True, help="Groups of the settings, with the members that the settings name."
    )
    # Whether a group there that is called like one of ours is that one.
    groups_by_name = True
    source = ""  # which server this is, for ever

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        drop_former_members(self.db, self.defined_groups)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def server(self) -> Ldap | OAuth:
        """What the settings say of the server."""
        return self.told

    def spell(self, group: str) -> str:
        """Give a group's name so that equal ones are equal."""
        return group

    def get_handlers(self, app: Any) -> list[tuple[str, Any]]:
        """Give our API beside the parent's pages; there are no sign-ups and no passwords here."""
        return [*super().get_handlers(app), *api_handlers, *storage_handlers]

    def check_allowed(self, username: str, auth_model: JSON) -> bool:
        """Let in whom the settings allow, or raise 403 with a sentence for the others."""
        if self._may_come(username, auth_model["auth_state"]["groups"]):
            return True
        self.log.warning("%s is not allowed to log in", username)
        raise HTTPError(
            403, f"You may not log in here as {username}: ask your administrator to allow you."
        )

    def _may_come(self, name: str, groups: Groups) -> bool:
        server = self.server
        return (
            server.is_open
            or name in server.allowed_users
            or name in self.admin_users
            or self._is_in(groups, [*server.allowed_groups, *server.admin_groups])
        )

    def _is_in(self, groups: Groups, wanted: Iterable[str]) -> bool:
        spelled = {self.spell(name) for name in wanted}
        return any(self.spell(name) in spelled for names in groups for name in names)

    def ours(self, groups: Groups) -> set[str]:
        """Give the groups of the settings that these groups there are.

        One in `group_map` is what that says and nothing else; so is one of ours in it.
        """
        mapped = {self.spell(there): here for there, here in self.server.group_map.items()}
        alike = set(self.defined_groups) - set(mapped.values()) if self.groups_by_name else set()
        found = set()
        for group in groups:
            names = {self.spell(name) for name in group}
            found |= {mapped[name] for name in names if name in mapped} or names & alike
        return found

    async def run_post_auth_hook(self, handler: Any, auth_model: JSON) -> JSON:
        """At a login, give the user what the server says of them."""
        user = handler.user_from_username(auth_model["name"])  # made at the first login
        auth_model |= await self._admit(user, auth_model["auth_state"])
        return await super().run_post_auth_hook(handler, auth_model)

    async def _admit(self, user: Any, said: JSON) -> JSON:
        """Set a user's groups; give the right to administer and the state to keep.

        Raises 403 for somebody whose name has become another's.
        """
        before = await user.get_auth_state() or {}
        if before.get("source") != self.source:
            before = {}  # the operator has chosen another server, and with it whom to believe
        groups = said.pop("groups")
        # What is not told anew is as before: some give the token for asking again only once.
        state = {key: value or before.get(key) for key, value in said.items()}
        if state["subject"] != (before.get("subject") or state["subject"]):
            self.log.error("%s is somebody else than before, and refused", user.name)
            raise HTTPError(
                403, f"The name {user.name} has belonged to another person: ask your administrator."
            )
        ours, given_before = self.ours(groups), before.get("given", ())
        given = follow(user.db, user.orm_user, ours, given_before, self.defined_groups)
        admin = self._is_in(groups, self.server.admin_groups)
        state |= {"source": self.source, "given": given, "admin": admin}
        await user.save_auth_state(state)  # JupyterHub does not, where a token is asked for
        if user.name in self.admin_users or admin:
            return {"admin": True, "auth_state": state}
        # Who was made an administrator here stays one.
        return {"admin": False if before.get("admin") else None, "auth_state": state}

    async def refresh_user(self, user: Any, handler: Any) -> bool | JSON:
        """Ask about a user again: give what to keep, or False if they may not go on.

        One who only has to log in again loses the sessions; programs go on with their tokens.
        """
        if usernames.group_of_job(user.name):
            return True  # nobody else knows of it
        # One at a time: a provider's token for asking again is good for one question.
        async with self._turns.setdefault(user.name, asyncio.Lock()):
            asked = user._auth_refreshed
            if asked and time.monotonic() - asked < self.auth_refresh_age:
                return True
            # JupyterHub 6.1 reads it of every request, and sets it for those with a token alone.
            by_token = handler._token_authenticated = is_by_token(handler)
            try:
                said = await self.ask_about(user, handler)
                if said is not None and self._may_come(user.name, said["groups"]):
                    return {"name": user.name, **await self._admit(user, said)}
            except UnreachableError:
                return True
            except ExpiredError:
                # A token that no browser's session depends on is good still.
                goes_on = by_token and handler.get_token().session_id is None
                end_sessions(user.db, user.orm_user)
                return goes_on
            except HTTPError as error:
                self.log.warning("%s is refused: %s", user.name, error)
            self.log.warning("%s may not log in any more: their sessions end", user.name)
            end_sessions(user.db, user.orm_user)
            return False

    async def ask_about(self, user: Any, handler: Any) -> JSON | None:
        """Give what the server says of a user now: subject, groups; None if it knows no such user.

        Raises UnreachableError, ExpiredError, or 403.
        """
        raise NotImplementedError


def is_by_token(handler: Any) -> bool:
    """Say whether a token vouches for a request, and not a browser's cookie."""
    return bool(getattr(handler, "_token_authenticated", False))
