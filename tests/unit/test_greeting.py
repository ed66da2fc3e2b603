"""Whether clients would trust a certificate: with real TLS, in memory and on a socket."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notehive.platform.greeting import DistrustError, Greeting
from tests.support.authority import Authority, Pair

HOST = "workbench.example.com"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def knowing(authority: Authority, host: str = HOST) -> Greeting:
    return Greeting(host, authority.file.read_bytes())


@pytest.mark.parametrize("host", [HOST, "10.0.0.7", "fd00::7"])
def test_a_good_one(host: str, authority: Authority) -> None:
    pair = authority.issue(host, days=30)
    end = knowing(authority, host).with_files(pair.certificate, pair.key)
    assert abs(end - (datetime.now(UTC) + timedelta(days=30))) < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("host", "days", "reason"),
    [
        (HOST, -1, "certificate has expired"),
        (HOST, 180, "certificate is not yet valid"),
        ("other.example.com", 30, f"Hostname mismatch, certificate is not valid for '{HOST}'"),
    ],
)
def test_one_that_is_none_for_this_site(
    host: str, days: float, reason: str, authority: Authority
) -> None:
    pair = authority.issue(host, days=days)
    with pytest.raises(DistrustError, match=f"^{reason}"):
        knowing(authority).with_files(pair.certificate, pair.key)


def test_one_of_an_unknown_authority(authority: Authority, tmp_path: Path) -> None:
    pair = Authority(tmp_path / "other").issue(HOST)
    with pytest.raises(DistrustError, match=r"unable to get local issuer certificate"):
        knowing(authority).with_files(pair.certificate, pair.key)


def test_a_key_of_another_certificate(authority: Authority) -> None:
    first, second = authority.issue(HOST), authority.issue(HOST, name="second")
    with pytest.raises(DistrustError, match=r"^the key belongs to another certificate$"):
        knowing(authority).with_files(first.certificate, second.key)


def test_files_the_wrong_way_round(authority: Authority) -> None:
    pair = authority.issue(HOST)
    with pytest.raises(DistrustError, match=r"^holds no PEM of its kind$"):
        knowing(authority).with_files(pair.key, pair.certificate)


def test_a_key_with_a_password(authority: Authority) -> None:
    pair = authority.issue(HOST, password=b"secret")
    with pytest.raises(DistrustError, match=r"^has a password, which nobody could type"):
        knowing(authority).with_files(pair.certificate, pair.key)


@contextmanager
def served(pair: Pair) -> Iterator[int]:
    """The port of a server with this certificate, for one client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)

    def serve() -> None:
        connection, _ = listening.accept()
        # A client may refuse what it is shown.
        with connection, contextlib.suppress(ssl.SSLError, ConnectionError):
            context.wrap_socket(connection, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve)
        server.start()
        yield listening.getsockname()[1]
        server.join()


def test_what_is_served(authority: Authority) -> None:
    with served(authority.issue(HOST, days=10)) as port:
        assert (knowing(authority).with_port(port) - datetime.now(UTC)).days in (9, 10)


def test_what_is_served_and_refused(authority: Authority) -> None:
    with (
        served(authority.issue("other.example.com")) as port,
        pytest.raises(DistrustError, match="Hostname mismatch"),
    ):
        knowing(authority).with_port(port)
