"""Names and passwords that people send: one at a time for each name, none for a locked one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

from tornado.web import HTTPError

from notehive.hub.failed_logins import FailedLogins

WRONG = "Wrong user name or password."


def name_and_password(data: Any) -> tuple[str, str]:
    """Give both, or raise 403.

    ``data`` is what came from the login form or, by the REST API, any JSON. No password is
    no right password anywhere: an LDAP server would take it for a visit without a name.
    """
    fields = data if isinstance(data, dict) else {}
    name, password = fields.get("username"), fields.get("password")
    if not (isinstance(name, str) and isinstance(password, str) and name and password):
        raise HTTPError(403, "Give your user name and your password.")
    return name, password


class Guesses:
    """Lets one password for a name be tried after another, and counts the wrong ones.

    All at once would be compared before the first of them is counted.
    """

    def __init__(self, failed_logins: FailedLogins) -> None:
        self.failed_logins = failed_logins
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Wait for the turn of one guess; raise 403 for a name that is locked."""
        async with self._turns.setdefault(name, asyncio.Lock()):
            self._refuse_if_locked(name)
            yield

    def wrong(self, name: str) -> HTTPError:
        """Count a wrong guess; give the error to raise."""
        self.failed_logins.failed(name)
        self._refuse_if_locked(name)
        return HTTPError(403, WRONG)

    def right(self, name: str) -> None:
        """Count from zero again."""
        self.failed_logins.forget(name)

    def _refuse_if_locked(self, name: str) -> None:
        minutes = -(-self.failed_logins.locked_for(name) // 60)
        if minutes:
            unit = "minute" if minutes == 1 else "minutes"
            raise HTTPError(403, f"Too many failed logins: locked, try again in {minutes} {unit}.")
