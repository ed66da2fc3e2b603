"""What each role may start on a real site, in each way of asking, and how much at once."""

import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from copy import deepcopy
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub import Browser, User, user
from tests.support.site import Answer, Site, changed, docker, fetch, wait_for
from tests.support.wishes import WISHES

pytestmark = pytest.mark.changes_site

IMAGES, SIZES = ("base", "datascience"), ("small", "medium", "large")
SETTINGS: dict[str, Any] = {
    "images": {"base": {}, "datascience": {}},
    "sizes": {
        "small": {"limit": {"cpu": 0.5, "memory": "512M"}},
        "medium": {"limit": {"cpu": 1, "memory": "768M"}},
        "large": {"limit": {"cpu": 1.5, "memory": "1G"}},
    },
    "groups": {
        "everyone": {"limits": {"cpu": 1, "memory": "1G", "servers": 2}},
        "lab": {"sizes": ["large"], "limits": {"cpu": 2}},
        "science": {"images": ["datascience"]},
    },
}
MAY = {
    "nobody": ((), {"base"}, {"small", "medium"}),
    "lab": (("--group", "lab"), {"base"}, {"small", "medium", "large"}),
    "boss": (("--admin",), set(IMAGES), set(SIZES)),
}


@pytest.fixture(scope="module")
def limited(site: Site) -> Iterator[Site]:
    """The site with these settings."""
    with changed(site, **SETTINGS):
        yield site


@pytest.fixture(scope="module")
def people(limited: Site) -> Iterator[dict[str, User]]:
    """A user of each role."""
    with ExitStack() as stack:
        yield {
            role: stack.enter_context(user(limited, f"{role}-l", *options))
            for role, (options, _, _) in MAY.items()
        }


def by_api(someone: User, wish: dict[str, str]) -> Answer:
    return someone.call("POST", f"/users/{someone.name}/server", wish)


def by_name(someone: User, wish: dict[str, str]) -> Answer:
    return someone.call("POST", f"/users/{someone.name}/servers/second", wish)


def by_form(someone: User, wish: dict[str, str]) -> Answer:
    return Browser(someone).ask("POST", "/hub/spawn", wish)


WAYS: list[Callable[[User, dict[str, str]], Answer]] = [by_api, by_name, by_form]


def stop_all(someone: User) -> None:
    """Stop the user's servers, also those that start; wait until nothing is left of them."""

    def gone() -> bool:
        for name in someone.ask("GET", f"/users/{someone.name}")["servers"]:
            someone.call("DELETE", f"/users/{someone.name}/servers/{name}")
        return not someone.objects()

    wait_for(f"the end of {someone.name}'s servers", gone, 90)


def test_every_role_image_and_size_in_every_way(people: dict[str, User]) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(every_image_and_size, people, people.values()))


def every_image_and_size(role: str, someone: User) -> None:
    """What is refused, in each way; what is not, starts, in one way after the other."""
    ways = itertools.cycle(WAYS)
    _, images, sizes = MAY[role]
    for image, size in itertools.product(IMAGES, SIZES):
        wish = {"image": image, "size": size}
        if image in images and size in sizes:
            way = next(ways)
            answer = way(someone, wish)
            assert answer.status in (201, 202, 302), (role, wish, way, answer)
            wait_for(f"a server of {role} by {way.__name__}", someone.objects)
            stop_all(someone)
            continue
        for way in WAYS:
            answer = way(someone, wish)
            assert answer.status == 400, (role, wish, way, answer)
            wrong = image if image not in images else size
            assert f"'{wrong}' for you" in unescape(answer.body.decode())
    assert someone.objects() == []


@pytest.mark.parametrize(("body", "word"), WISHES)
def test_malformed_wishes_leave_nothing(
    limited: Site, people: dict[str, User], body: bytes, word: str
) -> None:
    nobody = people["nobody"]
    for path in ("server", "servers/second"):
        answer = fetch(
            limited,
            f"/hub/api/users/{nobody.name}/{path}",
            method="POST",
            headers={"Authorization": f"Bearer {nobody.token}"},
            body=body,
        )
        assert answer.status == 400, answer
        message = json.loads(answer.body)["message"]
        assert word in message
        assert len(message.splitlines()) == 1
    assert nobody.objects() == []


def test_a_body_that_is_too_large_is_not_taken(limited: Site, people: dict[str, User]) -> None:
    nobody = people["nobody"]
    answer = nobody.call("POST", f"/users/{nobody.name}/server", {"image": "x" * 2_000_000})
    assert answer.status == 413
    assert nobody.objects() == []


def test_nobody_starts_servers_of_others(people: dict[str, User]) -> None:
    lab, nobody = people["lab"], people["nobody"]
    answer = lab.call("POST", f"/users/{nobody.name}/server", {})
    assert answer.status in (403, 404)
    answer = Browser(lab).ask("POST", f"/hub/spawn/{nobody.name}", {"size": "small"})
    assert answer.status in (403, 404)
    assert nobody.objects() == []


def test_of_three_at_once_two_start(people: dict[str, User]) -> None:
    """They are all asked for before the first of them runs."""
    nobody = people["nobody"]
    paths = ("server", "servers/second", "servers/third")

    def ask(path: str) -> Answer:
        return nobody.call("POST", f"/users/{nobody.name}/{path}", {"size": "small"})

    try:
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(ask, paths))
        refused = [answer for answer in answers if answer.status == 400]
        assert len(refused) == 1, answers
        assert json.loads(refused[0].body)["message"] == "You hold 2 of 2 servers; stop one first."
        assert len(nobody.objects()) == 4, "two services, each with a token"
    finally:
        stop_all(nobody)


@pytest.mark.long
def test_a_changed_group_shows_at_the_next_login(limited: Site, people: dict[str, User]) -> None:
    """In the form and by the API; what the server that runs holds is what it was started with."""
    nobody = people["nobody"]
    by_api(nobody, {"size": "medium"})
    wait_for("the server", lambda: (nobody.server() or {}).get("ready"), 120)
    assert b'value="large"' not in Browser(nobody).ask("GET", "/hub/spawn/nobody-l/second").body
    other = deepcopy(SETTINGS)
    other["groups"]["lab"] |= {"members": [nobody.name], "limits": {"cpu": 3}}
    other["groups"]["everyone"]["limits"]["memory"] = "2G"
    other["sizes"]["medium"] = {"limit": {"cpu": 0.5, "memory": "512M"}}
    with changed(limited, **other):
        page = Browser(nobody).ask("GET", "/hub/spawn/nobody-l/second").body.decode()
        assert 'value="large"' in page
        assert "You hold 1 of 2 servers, 1 of 3 CPUs, 768 MB of 2 GB of memory." in page
        assert by_name(nobody, {"size": "large"}).status in (201, 202)
    stop_all(nobody)
    assert by_api(nobody, {"size": "large"}).status == 400


BOMB = "bomb() { while :; do bomb & done; }; bomb"


@pytest.mark.long
def test_a_fork_bomb_harms_nobody_else(people: dict[str, User]) -> None:
    """Another user's server answers and works on, and the bomber's can be stopped."""
    bomber, other = people["nobody"], people["lab"]
    site = other.site
    for someone in (bomber, other):
        assert someone.start(image="base", size="small")
    spec = json.loads(docker("service", "inspect", bomber.service))[0]["Spec"]["TaskTemplate"]
    assert spec["Resources"]["Limits"]["Pids"] == 1024
    container = site.container(bomber.service)
    refused = next(
        path for path in Path("/sys/fs/cgroup").rglob("pids.events") if container in str(path)
    )
    try:
        docker("exec", "--detach", container, "sh", "-c", BOMB)
        wait_for("the bomb's end", lambda: refused.read_text().split() != ["max", "0"], 60)
        headers = {"Authorization": f"Bearer {other.token}"}
        for _ in range(5):
            assert fetch(site, f"/user/{other.name}/api/status", headers=headers).status == 200
        assert site.exec(other.service, "sh", "-c", "echo $((6 * 7)) | cat") == "42"
        assert int(refused.with_name("pids.current").read_text()) <= 1024
    finally:
        stop_all(bomber)
        stop_all(other)
    wait_for("the end of its processes", lambda: not refused.exists())
