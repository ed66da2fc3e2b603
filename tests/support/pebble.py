"""An ACME server of this machine's own: Pebble, which Let's Encrypt tests its clients with."""

import json
import os
import secrets
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from notehive.platform import machine
from tests.support.authority import Authority
from tests.support.site import NUMBER, Site, wait_for

PORT = 14000 + 10 * NUMBER  # and those above, one for each of its parts


@dataclass(frozen=True)
class Pebble:
    """The running server."""

    url: str  # of its directory
    authority: Path  # who signed its own certificate, and who signs what it issues


@contextmanager
def pebble(site: Site, directory: Path, http_port: int) -> Iterator[Pebble]:
    """Run one that looks for challenges at a port of this machine, whatever the name."""
    address = machine.address()
    own = Authority(directory / "pebble")
    pair = own.issue(address)
    configuration = {
        "listenAddress": f"{address}:{PORT}",
        "managementListenAddress": f"127.0.0.1:{PORT + 1}",
        "certificate": str(pair.certificate),
        "privateKey": str(pair.key),
        "httpPort": http_port,
        "tlsPort": site.port,
        "certificateValidityPeriod": 90 * 24 * 3600,
    }
    file = directory / "pebble.json"
    file.write_text(json.dumps({"pebble": configuration}))
    names = [
        *("pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""),
        *("-dns01", f"127.0.0.1:{PORT + 2}", "-management", f"127.0.0.1:{PORT + 3}"),
        *("-http01", "", "-https01", "", "-tlsalpn01", ""),
    ]
    server = ["pebble", "-config", str(file), "-dnsserver", f"127.0.0.1:{PORT + 2}"]
    environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1"}  # else it waits to be realistic
    with (
        (directory / "pebble.log").open("w") as log,
        subprocess.Popen(names, stdout=log, stderr=log) as first,
        subprocess.Popen(server, stdout=log, stderr=log, env=environment) as second,
    ):
        try:
            issuer = wait_for("Pebble", lambda: _root(own))
            authority = directory / "both.crt"
            authority.write_bytes(own.file.read_bytes() + issuer)
            # Each is a new authority: what certbot got of an earlier one is none of this one's.
            query = secrets.token_hex(4)
            yield Pebble(f"https://{address}:{PORT}/dir?{query}", authority)
        finally:
            first.terminate()
            second.terminate()


def _root(own: Authority) -> bytes:
    """Give the certificate of the authority that it made when it started."""
    trusting = ssl.create_default_context(cafile=own.file)
    trusting.check_hostname = False  # asked on loopback
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting)
    )
    try:
        with direct.open(f"https://127.0.0.1:{PORT + 1}/roots/0") as answer:
            found: bytes = answer.read()
            return found
    except OSError:
        return b""
