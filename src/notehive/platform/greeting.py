"""TLS as a client of the site sees it: whether it would trust a certificate, and until when."""

import contextlib
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class DistrustError(Exception):
    """A certificate that clients refuse, or that cannot be served; the message says why."""


@dataclass(frozen=True)
class Greeting:
    """What clients do when they meet the site: its name, and the authorities that they trust."""

    host: str
    trusted: bytes  # certificates, as PEM

    def with_files(self, certificate: Path, key: Path) -> datetime:
        """Say until when a server with these files would be trusted; or raise DistrustError.

        Client and server greet each other in memory: key, chain, dates and name are judged by
        the same code as in earnest.
        """
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            server.load_cert_chain(certificate, key, password=_no_password)
        except ssl.SSLError as error:
            mismatch = error.reason == "KEY_VALUES_MISMATCH"
            raise DistrustError(
                "the key belongs to another certificate" if mismatch else "holds no PEM of its kind"
            ) from None
        upward, downward = ssl.MemoryBIO(), ssl.MemoryBIO()
        there = server.wrap_bio(upward, downward, server_side=True)
        here = self._client().wrap_bio(downward, upward, server_hostname=self.host)
        try:
            for side in (here, there, here, there):
                _step(side)
        except ssl.SSLCertVerificationError as error:
            raise DistrustError(error.verify_message) from None
        return _end(here.getpeercert())

    def with_port(self, port: int) -> datetime:
        """The same of what is served at a port of this machine; OSError if nothing is."""
        try:
            with (
                socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
                self._client().wrap_socket(plain, server_hostname=self.host) as met,
            ):
                return _end(met.getpeercert())
        except ssl.SSLCertVerificationError as error:
            raise DistrustError(error.verify_message) from None

    def _client(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.trusted.decode("ascii", "replace"))
        return context


def _no_password() -> str:
    raise DistrustError("has a password, which nobody could type; store it without one")


def _step(side: ssl.SSLObject) -> None:
    with contextlib.suppress(ssl.SSLWantReadError):  # it waits for the other
        side.do_handshake()


def _end(certificate: dict[str, Any] | None) -> datetime:
    assert certificate  # noqa: S101 - a client that verifies has it
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
