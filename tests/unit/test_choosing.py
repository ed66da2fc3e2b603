"""What each user may start, asked in every way of a real hub, whose servers are stand-ins."""

import itertools
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from notehive.hub.holdings import Holding
from notehive.hub.options import check_options
from notehive.hub.rights import rights
from tests.support.releases import publish
from tests.support.site import wait_for
from tests.support.wishes import WISHES
from tests.unit.conftest import Browser, Hub, hub_config, running_hub

SETTINGS = """
admins: [boss]
groups:
  everyone: {limits: {cpu: 4, memory: 8G, servers: 2}}
  risk: {images: [spark], sizes: [large], limits: {cpu: 16}}
  fraud: {images: [spark, gpu], limits: {servers: 3}}
  sales: {}
images: {base: {}, spark: {}, gpu: {}}
sizes:
  small: {limit: {cpu: 1, memory: 1G}}
  medium: {limit: {cpu: 2, memory: 6G}}
  large: {limit: {cpu: 8, memory: 8G}}
"""
MEDIUM = "  medium: {limit: {cpu: 2, memory: 6G}}\n"
IMAGES, SIZES = ("base", "spark", "gpu"), ("small", "medium", "large")
# Each role: its groups, whether it administers, and what it may choose.
ROLES: dict[str, tuple[tuple[str, ...], bool, set[str], set[str]]] = {
    "nobody": ((), False, {"base"}, {"small", "medium"}),
    "sales": (("sales",), False, {"base"}, {"small", "medium"}),
    "risk": (("risk",), False, {"base", "spark"}, {"small", "medium", "large"}),
    "fraud": (("fraud",), False, {"base", "spark", "gpu"}, {"small", "medium"}),
    "both": (("risk", "fraud"), False, set(IMAGES), set(SIZES)),
    "boss": ((), True, set(IMAGES), set(SIZES)),
}


class Person:
    """A user in a browser, who starts servers in every way there is."""

    def __init__(self, hub: Hub, name: str, groups: tuple[str, ...] = (), admin: bool = False):
        self.hub, self.name = hub, name
        self.browser, self.password = hub.user(name, admin=admin, groups=groups)
        auth = {"username": name, "password": self.password}
        token = Browser(hub.base).post(f"/hub/api/users/{name}/tokens", json={"auth": auth})
        self.headers = {"Authorization": f"token {token.json()['token']}"}

    def call(self, method: str, path: str, **body: Any) -> requests.Response:
        """Ask the REST API about oneself."""
        url = f"/hub/api/users/{self.name}{path}"
        return Browser(self.hub.base).request(method, url, headers=self.headers, **body)

    def running(self) -> list[str]:
        """Names of the servers that run, as the hub sees them."""
        return sorted(self.call("GET", "").json()["servers"])

    def ready(self, server: str) -> bool:
        return bool(self.call("GET", "").json()["servers"][server]["ready"])

    def stop(self, server: str = "") -> None:
        assert self.call("DELETE", api_path(server)).status_code == 204

    def api(self, options: Any, server: str = "") -> requests.Response:
        return self.call("POST", api_path(server), json=options)

    def named(self, options: Any) -> requests.Response:
        return self.api(options, "second")

    def named_with_schema(self, options: Any) -> requests.Response:
        return self.api({"display_name": "Second", "user_options": options}, "second")

    def form(self, options: Any, page: str = "/hub/spawn") -> requests.Response:
        return self.browser.submit(page, **options)

    def named_form(self, options: Any) -> requests.Response:
        return self.form(options, f"/hub/spawn/{self.name}/second")

    def query(self, options: Any) -> requests.Response:
        return self.browser.get("/hub/spawn", params=options, allow_redirects=False)

    def page(self, path: str) -> str:
        return unescape(self.browser.get(path).text)


@contextmanager
def a_person(hub: Hub, name: str, *groups: str, admin: bool = False) -> Iterator[Person]:
    """A user, removed with all servers at the end."""
    person = Person(hub, name, groups, admin)
    yield person
    for server in person.running():
        person.stop(server)
    assert hub.api("DELETE", f"/users/{name}").status_code == 204


def api_path(server: str) -> str:
    return f"/servers/{server}" if server else "/server"


WAYS: dict[str, Callable[[Person, Any], requests.Response]] = {
    "api": Person.api,
    "named": Person.named,
    "named with schema": Person.named_with_schema,
    "form": Person.form,
    "named form": Person.named_form,
    "query": Person.query,
}


def started(answer: requests.Response) -> bool:
    """Whether a server was started: the API says Created or Accepted, pages lead to it."""
    assert answer.status_code in (201, 202, 302, 400), answer.text
    return answer.status_code != 400


def reason(answer: requests.Response) -> str:
    """The sentence of a refusal, of the API or of a page."""
    if "json" in answer.headers["Content-Type"]:
        return str(answer.json()["message"])
    [found] = re.findall(r'<p class="spawn-error-msg[^>]*>(.*?)</p>', answer.text, re.S)
    return unescape(found.strip())


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with running_hub(tmp_path_factory.mktemp("limited"), SETTINGS) as hub:
        yield hub


@pytest.fixture
def ana(limited: Hub) -> Iterator[Person]:
    with a_person(limited, "ana") as ana:
        yield ana


@pytest.mark.parametrize("role", ROLES)
def test_every_image_and_size(role: str) -> None:
    config = hub_config(SETTINGS)
    groups, admin, images, sizes = ROLES[role]
    mine = rights(config, groups, admin=admin)
    for image, size in itertools.product(IMAGES, SIZES):
        wish = {"image": image, "size": size}
        if image in images and size in sizes:
            assert check_options(config, mine, Holding(), wish) == (image, size)
        else:
            wrong = image if image not in images else size
            with pytest.raises(ValueError, match=f"^There is no .* '{wrong}' for you; "):
                check_options(config, mine, Holding(), wish)


@pytest.mark.parametrize("role", ["nobody", "risk", "fraud", "boss"])
def test_every_image_and_size_in_every_way(limited: Hub, role: str) -> None:
    """All that is refused, and the largest of what is not."""
    groups, admin, images, sizes = ROLES[role]
    with a_person(limited, role, *groups, admin=admin) as person:
        for way, image, size in itertools.product(WAYS, IMAGES, SIZES):
            if image in images and size in sizes:
                continue
            answer = WAYS[way](person, {"image": image, "size": size})
            assert not started(answer), (way, image, size)
            assert reason(answer).startswith("There is no "), (way, image, size)
            assert repr(image if image not in images else size) in reason(answer)
        assert person.running() == []
        best = {
            key: [k for k in keys if k in may][-1]
            for key, keys, may in (("image", IMAGES, images), ("size", SIZES, sizes))
        }
        for way in WAYS:
            assert started(WAYS[way](person, best)), way
            [server] = person.running()
            assert person.call("GET", api_path(server)).json()["user_options"] == best
            person.stop(server)


@pytest.mark.parametrize("way", WAYS)
def test_an_image_that_a_group_has_released(limited: Hub, way: str) -> None:
    """It comes and goes while the hub runs, and is its group's in every way."""
    wish = {"image": "risk/geo", "size": "small"}
    with a_person(limited, "mia", "risk") as mia, a_person(limited, "olaf", "fraud") as olaf:
        assert reason(WAYS[way](mia, wish)).startswith("There is no image 'risk/geo' for you")
        publish(limited.home / "models", "risk", title="Maps")
        assert "risk/geo" not in olaf.page("/hub/spawn")
        assert reason(WAYS[way](olaf, wish)).startswith("There is no image 'risk/geo' for you")
        assert "Maps" in mia.page("/hub/spawn")
        assert started(WAYS[way](mia, wish))
        assert olaf.running() == []
        (server,) = mia.running()
        assert mia.call("GET", api_path(server)).json()["user_options"] == wish
        assert "Maps, small" in " ".join(mia.page("/hub/home").split())
        (limited.home / "models/risk/geo/current").unlink()
        mia.stop(server)
        assert "risk/geo" not in mia.page("/hub/spawn")


@pytest.mark.parametrize("way", WAYS)
def test_what_runs_counts_in_every_way(ana: Person, way: str) -> None:
    assert ana.api({"size": "medium"}, "first").status_code == 201
    answer = WAYS[way](ana, {"size": "medium"})
    assert reason(answer) == "This size needs 6 GB of memory; you have 2 of 8 GB left."
    assert ana.running() == ["first"]
    assert started(WAYS[way](ana, {"size": "small"}))
    ana.stop("first")
    assert ana.api({"size": "medium"}, "first").status_code == 201, "the share is free at once"


def test_the_count_of_servers(ana: Person) -> None:
    for server in ("", "second"):
        assert ana.api({"size": "small"}, server).status_code == 201
    answer = ana.api({"size": "small"}, "third")
    assert reason(answer) == "You hold 2 of 2 servers; stop one first."
    assert ana.running() == ["", "second"]


def test_a_server_that_ended_by_itself_frees_its_share(ana: Person) -> None:
    for server in ("", "second"):
        assert ana.api({"size": "small"}, server).status_code == 201
    (ana.hub.home / "server-ana-second").unlink()
    assert ana.api({}, "second").status_code == 201, "the hub looks before it starts it anew"
    assert ana.running() == ["", "second"]


@pytest.mark.parametrize("way", ["api", "form"])
def test_of_three_at_once_the_two_start_that_may(limited: Hub, way: str) -> None:
    """Each that is granted waits in its start until one has been refused."""
    slow = limited.home / "slow"
    with a_person(limited, f"race-{way}") as racer, ThreadPoolExecutor(3) as pool:
        xsrf = {"_xsrf": racer.browser.cookies["_xsrf"]}

        def ask(server: str) -> requests.Response:
            if way == "api":
                return racer.api({"size": "small"}, server)
            session = Browser(limited.base)
            session.cookies.update(racer.browser.cookies)
            page = f"/hub/spawn/{racer.name}/{server}".rstrip("/")
            fields = {"size": "small", **xsrf}
            return session.post(page, data=fields, allow_redirects=False)

        slow.touch()
        try:
            asked = [pool.submit(ask, server) for server in ("", "one", "two")]
            answers = (each.result() for each in as_completed(asked, timeout=30))
            refused = next(answer for answer in answers if not started(answer))
            assert reason(refused) == "You hold 2 of 2 servers; stop one first."
        finally:
            slow.unlink()
        assert sorted(started(each.result()) for each in asked) == [False, True, True]
        assert len(racer.running()) == 2


def test_a_server_holds_what_it_was_started_with(tmp_path: Path) -> None:
    """Though its size is a smaller one later, and then gone."""
    holds = "You hold 1 of 2 servers, 2 of 4 CPUs, 6 of 8 GB of memory."
    with running_hub(tmp_path, SETTINGS) as hub:
        person = Person(hub, "ana")
        assert person.api({"size": "medium"}, "first").status_code == 201
        assert holds in person.page("/hub/home")
    with running_hub(tmp_path, SETTINGS.replace(MEDIUM, MEDIUM.replace("6G", "1G"))):
        assert holds in person.page("/hub/home")
        wait_for("the hub to find the server", lambda: person.ready("first"))
    with running_hub(tmp_path, SETTINGS.replace(MEDIUM, "")):
        assert holds in person.page("/hub/home")
        wait_for("the hub to find the server", lambda: person.ready("first"))
        assert person.api({"size": "small"}).status_code == 201
        person.stop("first")
        assert "You hold 1 of 2 servers, 1 of 4 CPUs, 1 of 8" in person.page("/hub/home")


@pytest.mark.parametrize(("body", "word"), WISHES)
def test_malformed_wishes(ana: Person, body: bytes, word: str) -> None:
    for server in ("", "second"):
        answer = ana.call("POST", api_path(server), data=body)
        assert answer.status_code == 400, answer.text
        assert word in reason(answer)
        assert len(reason(answer)) < 200
        assert ana.running() == []
    # It is not what the next start takes for the user's last choice.
    assert ana.call("POST", "/server").status_code == 201


@pytest.mark.parametrize(("body", "word"), WISHES)
def test_malformed_wishes_that_are_kept_for_later(ana: Person, body: bytes, word: str) -> None:
    """JupyterHub takes them with a new name, or for an existing one, without a look."""
    kept = ana.call("PUT", "/servers/second", data=body)
    answer = ana.call("POST", "/servers/second") if kept.status_code == 201 else kept
    assert answer.status_code == 400, answer.text
    assert word in reason(answer)
    assert ana.running() == []


@pytest.mark.parametrize(
    "fields",
    [
        [("image", "base"), ("image", "base"), ("size", "small")],
        [("image", "base"), ("size", "small"), ("size", "large")],
        [("image", "base"), ("size", "small"), ("mounts", "/:/host")],
    ],
)
@pytest.mark.parametrize("admin", [False, True])
def test_forms_with_more_than_was_shown(
    limited: Hub, fields: list[tuple[str, str]], admin: bool
) -> None:
    with a_person(limited, "forger", admin=admin) as forger:
        xsrf = forger.browser.cookies["_xsrf"]
        answer = forger.browser.post(
            "/hub/spawn", data=[("_xsrf", xsrf), *fields], allow_redirects=False
        )
        assert re.search("is not text|is unknown", reason(answer))
        page = f"/hub/spawn?_xsrf={quote(xsrf)}"
        answer = forger.browser.post(page, files={"size": b"small"}, allow_redirects=False)
        assert "'size_file' is unknown" in reason(answer)
        assert forger.running() == []


def test_a_refused_form_keeps_the_choice_and_says_why(ana: Person) -> None:
    """For a server with a name too, while the default one runs."""
    assert ana.api({"size": "medium"}).status_code == 201
    wish = {"image": "base", "size": "medium"}
    answer = ana.form(wish, "/hub/spawn/ana/second")
    assert answer.status_code == 400
    assert reason(answer) == "This size needs 6 GB of memory; you have 2 of 8 GB left."
    assert 'value="base" required checked' in answer.text
    assert 'value="medium" required disabled' in answer.text
    assert "needs 6 GB, 2 GB left" in answer.text
    assert "You hold 1 of 2 servers, 2 of 4 CPUs, 6 of 8 GB of memory." in answer.text
    assert "spark" not in answer.text

    ana.stop()
    for page in ("/hub/spawn", "/hub/spawn/ana/second"):
        answer = ana.form({"image": "spark", "size": "medium"}, page)
        assert "no image 'spark'" in reason(answer)
        assert 'value="medium" required checked' in answer.text


def test_an_administrator_starts_a_server_for_a_user(ana: Person, limited: Hub) -> None:
    """What the user may have, not the administrator, is what holds."""
    with a_person(limited, "bossy", admin=True) as bossy:
        page = bossy.page("/hub/spawn/ana")
        assert "Start a server for ana" in page
        assert "ana holds 0 of 2 servers" in page
        assert "spark" not in page
        answer = bossy.form({"image": "base", "size": "large"}, "/hub/spawn/ana")
        assert "There is no size 'large'" in reason(answer)
        answer = limited.api("POST", "/users/ana/server", {"size": "large"})
        assert "There is no size 'large'" in reason(answer)
        assert started(bossy.form({"size": "small"}, "/hub/spawn/ana/second"))
        assert ana.running() == ["second"]
        assert "ana holds 1 of 2 servers" in bossy.page("/hub/spawn/ana")
        assert " holds " not in bossy.page("/hub/home"), "nothing limits administrators here"


def test_nobody_starts_servers_of_others(ana: Person, limited: Hub) -> None:
    with a_person(limited, "eve") as eve:
        other = Browser(limited.base)
        for path in ("/hub/api/users/ana/server", "/hub/api/users/ana/servers/x"):
            assert other.post(path, headers=eve.headers, json={}).status_code in (403, 404)
        xsrf = eve.browser.cookies["_xsrf"]
        answer = eve.browser.post("/hub/spawn/ana", data={"size": "small", "_xsrf": xsrf})
        assert answer.status_code in (403, 404)
        assert ana.running() == []


def test_as_many_names_as_servers(ana: Person) -> None:
    for server in ("one", "two"):
        assert "Name of a new server" in ana.page("/hub/home")
        assert ana.call("PUT", f"/servers/{server}").status_code == 201
    assert "2 of 2 kept. Delete one to add another." in ana.page("/hub/home")
    answer = ana.call("PUT", "/servers/three")
    assert answer.status_code == 400
    assert "maximum of 2 named servers" in reason(answer)


def test_groups_are_read_again_at_login(tmp_path: Path) -> None:
    def sizes(person: Person) -> set[str]:
        assert person.browser.log_in(person.name, person.password).status_code == 302
        return set(re.findall(r'name="size" value="(\w+)"', person.page("/hub/spawn")))

    with running_hub(tmp_path, SETTINGS) as hub:
        person, by_hand = Person(hub, "ana"), Person(hub, "ben", ("risk",))
        assert sizes(person) == {"small", "medium"}
    changed = SETTINGS.replace("  risk: {", "  risk: {members: [ana, eva], ")
    with running_hub(tmp_path, changed) as hub:
        assert sizes(person) == sizes(by_hand) == set(SIZES)
        assert person.api({"size": "large"}, "second").status_code == 201
        # Out of the group by hand, and back at the next login; so is who was removed.
        assert hub.api("DELETE", "/users/eva").status_code == 204
        assert sizes(Person(hub, "eva")) == set(SIZES)
    with running_hub(tmp_path, SETTINGS) as hub:
        assert sizes(person) == {"small", "medium"}
        assert "no size 'large'" in reason(person.api({"size": "large"}))
        wait_for("the hub to find the server", lambda: person.ready("second"))
        assert sizes(by_hand) == set(SIZES)
        refused = hub.api("PUT", "/accounts/kim", {"groups": ["everyone"]})
        assert refused.status_code == 400
        assert refused.json()["message"] == "Every user is in the group everyone: leave it out."
