"""Every port of every address near a user's server, scanned from inside of it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.result import Begun, circumstances, write
from tests.support import scan
from tests.support.hub import User, user
from tests.support.site import Site

pytestmark = pytest.mark.long

RESULT = Path(__file__).parent / "results/scan.json"


@pytest.fixture
def people(site: Site) -> Iterator[list[User]]:
    """Two users with a server each."""
    with ExitStack() as stack:
        found = [stack.enter_context(user(site, name)) for name in ("scanner", "scanned")]
        for someone in found:
            someone.start(image="base", size="small")
        yield found


def test_of_all_ports_two_are_open(site: Site, people: list[User]) -> None:
    begun = Begun.now()
    near = scan.around(site, *(each.service for each in people))
    reached = scan.scan(site, people[0].service, near, scan.ALL_PORTS)
    expected = scan.allowed(site)
    happened = {
        "addresses": len(near),
        "ports_of_each": len(scan.ALL_PORTS),
        "kinds": ["tcp", "udp"],
        "reached_as_documented": len(reached & expected),
        "reached_beside": sorted(reached - expected),
    }
    write(RESULT, {**circumstances("make test-long only='-k scan'", begun), "happened": happened})
    assert reached == expected
