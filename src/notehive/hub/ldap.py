"""Logins by an LDAP directory."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import ldap3
import traitlets
from ldap3.core.exceptions import (
    LDAPException,
    LDAPInappropriateAuthenticationResult,
    LDAPInvalidCredentialsResult,
    LDAPNoSuchObjectResult,
)
from ldap3.utils.conv import escape_filter_chars
from ldapauthenticator import LDAPAuthenticator
from ldapauthenticator.ldapauthenticator import TlsStrategy
from tornado.web import HTTPError

from notehive.hub.failed_logins import FailedLogins
from notehive.hub.guesses import WRONG, Guesses, name_and_password
from notehive.hub.identity import JSON, Identity, UnreachableError

SECONDS = 5  # for a connection, and for each answer
T = TypeVar("T")


class VerifiedTls(ldap3.Tls):
    """TLS as Python does it: the certificate is checked, and that it is the server's.

    ldap3 compares names itself, and not the addresses that a certificate may have.
    """

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Put TLS around a connection's socket."""
        context = ssl.create_default_context(cadata=self.ca_certs_data)
        connection.socket = context.wrap_socket(
            connection.socket,
            server_hostname=connection.server.host,
            do_handshake_on_connect=do_handshake,
        )


class LdapAuthenticator(Identity, LDAPAuthenticator):
    """LDAPAuthenticator, whose TLS is verified and which never keeps the hub waiting.

    Of the parent it has the way of a login: look the person up, then bind as them, names
    escaped. Added: the directory's own spelling of a name decides who it is; groups; a lock
    after failed logins; questions are asked in threads, with limits of time.
    """

    allowed_failed_logins = traitlets.Integer(5, config=True, help="In a row, for one name.")
    seconds_before_next_try = traitlets.Integer(600, config=True, help="What a lock lasts.")
    ca = traitlets.Unicode(config=True, help="Certificates, in PEM form; the system's if empty.")
    user_filter = traitlets.Unicode(config=True, help="Which entries are users.")
    group_base = traitlets.Unicode(config=True, help="Where groups are; none are read if empty.")
    group_filter = traitlets.Unicode(config=True, help="Groups of the user {dn}, named {name}.")
    subject_attribute = traitlets.Unicode(config=True, help="What never becomes another's.")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.source = f"ldap {self.server_address}"
        self.guesses = Guesses(
            FailedLogins(self.allowed_failed_logins, self.seconds_before_next_try)
        )
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="ldap")
        self._opened = threading.local()

    def spell(self, group: str) -> str:
        """Give a name or DN so that equal ones are equal: no case, no spaces between its parts."""
        return ",".join(part.strip() for part in group.casefold().split(","))

    async def authenticate(self, handler: Any, data: Any) -> JSON:
        """Give the person who logs in, or raise 403 with a message for them."""
        name, password = name_and_password(data)
        name = self.normalize_username(name)
        if not self.validate_username(name):
            raise HTTPError(403, WRONG)
        async with self.guesses.turn(name):
            said = await self._ask(self._enter, name, password)
            if said is None:
                self.log.warning("Failed login of %s", name)
                raise self.guesses.wrong(name)
            self.guesses.right(name)
        return {"name": name, "auth_state": said}

    async def ask_about(self, user: Any, handler: Any) -> JSON | None:
        """Look a user up again."""
        return await self._ask(self._look_up, user.name)

    async def _ask(self, question: Callable[..., T], *args: str) -> T:
        """Ask in a thread, and close what the question has opened."""

        def ask() -> T:
            opened = self._opened.connections = {}
            try:
                return question(*args)
            finally:
                for connection in opened.values():
                    with suppress(LDAPException):  # of one that is broken already
                        connection.unbind()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        except LDAPException as error:
            self.log.error("The directory %s: %s", self.server_address, error)
            raise UnreachableError from None

    def _enter(self, name: str, password: str) -> JSON | None:
        """Log in to the directory as this person; give what it says of them."""
        # The parent's coroutine waits for nothing but the directory, and for that it blocks.
        login = {"username": name, "password": password}
        found = asyncio.run(LDAPAuthenticator.authenticate(self, None, login))
        return self._said_of(name, found["auth_state"]["user_attributes"] if found else {})

    def _look_up(self, name: str) -> JSON | None:
        """Give what the directory says of a person, without their password."""
        _, dn = self.resolve_username(name)
        return self._said_of(name, self.get_user_attributes(None, dn) if dn else {})

    def _said_of(self, name: str, found: JSON) -> JSON | None:
        """Give what the directory says of a person of this very name.

        Directories find more than that: Active Directory takes `jose` for `José`, and whoever
        that is would get the account of another.
        """
        if name not in {self.normalize_username(spelling) for spelling in found.get("names", ())}:
            return None
        return {"subject": found["subject"], "groups": found["groups"]}

    def get_user_attributes(self, conn: Any, userdn: str) -> JSON:
        """Give names, groups and what never changes of an entry; the parent asks at each login."""
        if self.lookup_dn:  # that account may read more than people may
            conn = self.get_connection(self.lookup_dn_search_user, self.lookup_dn_search_password)
        wanted = [self.user_attribute, self.subject_attribute]
        conn.search(userdn, self.user_filter, ldap3.BASE, attributes=wanted)
        if len(conn.entries) != 1:
            return {}
        entry = conn.entries[0].entry_attributes_as_dict
        names = [str(name) for name in entry.get(self.user_attribute, ())]
        subjects = entry.get(self.subject_attribute, ())
        return {
            "names": names,
            "subject": "".join(str(subject) for subject in subjects),
            "groups": self._groups(conn, userdn, names[0]) if self.group_base and names else [],
        }

    def _groups(self, conn: Any, userdn: str, name: str) -> list[list[str]]:
        """Give the groups of a user: of each its DN and its common names."""
        query = self.group_filter.replace("{name}", escape_filter_chars(name))
        query = query.replace("{dn}", escape_filter_chars(userdn))
        conn.search(self.group_base, query, attributes=["cn"])
        return [
            [entry.entry_dn, *map(str, entry.entry_attributes_as_dict.get("cn", ()))]
            for entry in conn.entries
        ]

    def get_connection(self, userdn: str | None, password: str | None) -> Any:
        """Give a connection bound as this entry; None if it has another password.

        The parent's believes any certificate, and waits for as long as the server likes.
        Raises LDAPException if the directory cannot be asked.
        """
        if userdn and not password:
            return None  # it would be taken for a visit without a name, and succeed
        looks_up = userdn == self.lookup_dn_search_user
        if looks_up and (opened := self._opened.connections.get(userdn)):
            return opened
        on_connect = self.tls_strategy == TlsStrategy.on_connect
        server = ldap3.Server(
            self.server_address,
            port=self.server_port,
            use_ssl=on_connect,
            tls=VerifiedTls(validate=ssl.CERT_REQUIRED, ca_certs_data=self.ca or None),
            get_info=ldap3.NONE,
            connect_timeout=SECONDS,
        )
        connection = ldap3.Connection(
            server,
            user=userdn,
            password=password,
            auto_referrals=False,  # with the password, to whatever server it names
            raise_exceptions=True,  # what is not found differs from what could not be searched
            read_only=True,
            receive_timeout=SECONDS,
        )
        self._opened.connections[userdn] = connection
        connection.open()
        if self.tls_strategy == TlsStrategy.before_bind:
            connection.start_tls()
        try:
            connection.bind()
        except (
            LDAPInappropriateAuthenticationResult,
            LDAPInvalidCredentialsResult,
            LDAPNoSuchObjectResult,
        ):
            if looks_up:
                raise  # our own account is refused, not the person who logs in
            return None
        return connection
