"""testssl.sh, Debian's package, against a site on this machine."""

import json
from pathlib import Path
from typing import NamedTuple

from tests.support.site import Site, run

# All but the simulation of browsers, which says who can connect, not what is wrong.
PARTS = (
    *("--protocols", "--std", "--pfs", "--server-preference", "--server-defaults", "--headers"),
    "--vulnerable",
)
SERIOUS = ("MEDIUM", "HIGH", "CRITICAL")  # those above LOW


class Finding(NamedTuple):
    """What it says of one thing that it looked at."""

    id: str
    severity: str
    finding: str


def scan(site: Site, directory: Path) -> list[Finding]:
    """Give all that it found; nothing leaves this machine."""
    file = directory / "testssl.json"
    run(
        *("testssl", "--quiet", "--warnings", "off", "--color", "0", "--ip", "127.0.0.1"),
        *("--openssl-timeout", "20", "--add-ca", str(site.authority), "--jsonfile", str(file)),
        *PARTS,
        f"{site.url}/hub/login",
        check=False,  # its exit code counts what is not perfect
    )
    found = json.loads(file.read_text())
    return [Finding(each["id"], each["severity"], each["finding"]) for each in found]
