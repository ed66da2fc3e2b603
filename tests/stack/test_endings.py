"""Servers that end otherwise than by their user, starts that cannot succeed, and what is left."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.hub import User, user
from tests.support.site import Site, changed, docker, fetch, run, wait_for

pytestmark = pytest.mark.changes_site

BROKEN = "notehive-test-broken:1"
FOREIGN = "notehive-test-foreign:1"
SETTINGS = {
    "images": {
        "base": {},
        "ghost": {"image": "127.0.0.1:1/notehive/ghost:1"},
        "broken": {"image": BROKEN},
        "foreign": {"image": FOREIGN},
    },
    "sizes": {
        "small": {"limit": {"cpu": 1, "memory": "1G"}},
        "huge": {"limit": {"cpu": 1000, "memory": "2T"}},
        "gpu": {"limit": {"cpu": 1, "memory": "1G"}, "gpu": 1},
    },
    "groups": {},
}


@pytest.fixture(scope="module")
def odd(site: Site) -> Iterator[Site]:
    """The site with an image that is nowhere, two that cannot start, and sizes for no machine."""
    base = site.image("notebooks-base")
    broken = f"FROM {base}\nUSER root\nRUN ln -sf /bin/false /usr/local/bin/start-notebook\n"
    docker("build", "--quiet", "--tag", BROKEN, "-", stdin=broken)
    docker("tag", site.image("python"), FOREIGN)
    with changed(site, **SETTINGS):
        yield site
    docker("rmi", "--force", BROKEN, FOREIGN)


@pytest.fixture(scope="module")
def eve(odd: Site) -> Iterator[User]:
    """A user of this module."""
    with user(odd, "eve") as eve:
        yield eve


@pytest.mark.parametrize(
    ("image", "size", "status", "words"),
    [
        ("base", "huge", 409, "no node is large enough: 100 CPUs must be free for this size"),
        ("base", "gpu", 409, "1 gpu must be free for this size, and the largest node has none"),
        ("ghost", "small", 500, "cannot be pulled there"),
        ("broken", "small", 500, "exit code 1"),
        ("foreign", "small", 500, "built FROM none of Notehive's"),
    ],
)
def test_a_start_that_cannot_succeed_says_why(
    eve: User, image: str, size: str, status: int, words: str
) -> None:
    """In the answer itself: JupyterHub would answer 202 if it took more than ten seconds."""
    answer = eve.call("POST", f"/users/{eve.name}/server", {"image": image, "size": size})
    assert answer.status == status, answer
    assert words in json.loads(answer.body)["message"]
    assert eve.objects() == []


def start(eve: User) -> str:
    return eve.start(image="base", size="small")


def ended(eve: User) -> str:
    """Wait until the hub has noticed and cleaned up; give what it tells."""
    wait_for("the hub to notice", lambda: not (eve.server() or {}).get("ready"))
    wait_for("nothing to be left", lambda: not eve.objects())
    return eve.ended()


def test_a_killed_server_is_told_and_not_resurrected(odd: Site, eve: User) -> None:
    docker("kill", odd.container(start(eve)))
    assert "It was killed" in ended(eve)
    start(eve)
    eve.stop()


def test_a_service_removed_by_hand_is_told(odd: Site, eve: User) -> None:
    docker("service", "rm", start(eve))
    assert "stopped from outside" in ended(eve)


def reached(eve: User) -> bool:
    """Whether the server answers now; what the proxy waits for from a dead address does not."""
    done = run(
        *("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"),
        *("--max-time", "2", "--header", f"Authorization: Bearer {eve.token}"),
        *("--header", f"Host: {eve.site.url.removeprefix('http://')}"),
        f"http://127.0.0.1:{eve.site.port}/user/{eve.name}/api/status",
        check=False,
    )
    return done.stdout == "200"


@pytest.mark.long
def test_a_server_that_an_operator_moves_is_found_again(odd: Site, eve: User) -> None:
    service = start(eve)
    before = odd.container(service)
    docker("service", "update", "--force", "--detach", service)
    wait_for("its new task", lambda: set(odd.containers(service, ended=False)) - {before})
    wait_for("the old one's end", lambda: before not in odd.containers(service, ended=False))
    wait_for("the server at its new address", lambda: reached(eve))
    eve.stop()


@pytest.mark.long
def test_a_hub_that_ends_in_the_middle_of_a_start_leaves_nothing(odd: Site, eve: User) -> None:
    body = {"image": "base", "size": "small"}
    with ThreadPoolExecutor() as pool:
        pool.submit(eve.call, "POST", f"/users/{eve.name}/server", body)
        wait_for("its service", lambda: eve.service in odd.services())
        docker("kill", odd.container("hub"))
    wait_for("the hub", lambda: fetch(odd, "/hub/health").status == 200, 90)
    assert "exit" not in ended(eve)
    start(eve)
    eve.stop()


@pytest.mark.long
def test_what_belongs_to_no_server_is_swept_away(odd: Site, eve: User) -> None:
    labels = [
        part
        for key, value in (("stack", odd.name), ("kind", "server"), ("user", "eve"), ("server", ""))
        for part in ("--label", f"notehive.{key}={value}")
    ]
    token = [part.replace("kind=server", "kind=token") for part in labels]
    docker("secret", "create", *token, f"{odd.name}-orphan", "-", stdin="x")
    docker(
        *("service", "create", "--detach", "--quiet", "--name", f"{odd.name}-orphan", *labels),
        *("--endpoint-mode", "dnsrr", odd.image("notebooks-base"), "sleep", "inf"),
    )
    assert len(eve.objects()) == 2
    wait_for("the sweep", lambda: not eve.objects(), 90)
