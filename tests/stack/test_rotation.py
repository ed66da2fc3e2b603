"""`secrets rotate` on a real site: what it renews, and what nobody notices of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest

from notehive.platform import stack
from tests.stack.test_secrets import HOLDERS
from tests.support.hub import Browser, User, user
from tests.support.site import Answer, Site, docker, fetch

pytestmark = pytest.mark.long

PAUSE = 60  # seconds after which a program asks again that is not told when


@pytest.fixture
def rosa(site: Site) -> Iterator[User]:
    """A user with a server."""
    with user(site, "rosa") as rosa:
        rosa.start(image="base", size="small")
        yield rosa


def secret(site: Site, name: str) -> str:
    return site.exec(HOLDERS[name], "cat", f"/run/secrets/{name}").rpartition(":")[2]


def generations(site: Site) -> dict[int, set[str]]:
    """The secrets of the platform that the Swarm has, by generation."""
    labels = (f"label=notehive.stack={site.name}", "label=notehive.kind=platform")
    filters = (f"--filter={label}" for label in labels)
    found: dict[int, set[str]] = {}
    for name in docker("secret", "ls", "--format", "{{.Name}}", *filters).split():
        key, _, number = name.removeprefix(f"{site.name}_").partition(".")
        found.setdefault(int(number), set()).add(key)
    return found


def visit(browser: Browser, path: str) -> Answer:
    """Open a page as a browser does that is sent on."""
    answer = browser.ask("GET", path)
    for _ in range(9):
        if answer.status != 302:
            break
        to = urlsplit(answer.headers["Location"])
        answer = browser.ask("GET", f"{to.path}?{to.query}" if to.query else to.path)
    return answer


class Asking:
    """Asks the same again and again; what fails, once more after a pause."""

    def __init__(self, ask: Callable[[], Answer]) -> None:
        self.ask, self.done = ask, Event()
        self.asked, self.failed, self.lost = 0, 0, list[str]()
        self.thread = Thread(target=self.run)

    def run(self) -> None:
        while not self.done.is_set():
            self.asked += 1
            trouble, pause = self.once()
            if trouble:
                self.failed += 1
                time.sleep(pause)
                again, _ = self.once()
                if again:
                    self.lost.append(f"{trouble}, {pause:.0f} s later {again}")
            time.sleep(0.1)

    def once(self) -> tuple[str, float]:
        """Ask; give what went wrong, if something did, and how long to wait then."""
        try:
            answer = self.ask()
        except OSError as error:
            return repr(error), PAUSE
        if answer.status == 200:
            return "", 0
        return f"status {answer.status}", float(answer.headers.get("Retry-After", PAUSE))


@contextmanager
def asking(**asked: Callable[[], Answer]) -> Iterator[dict[str, Asking]]:
    """Ask all the while; the body ends before the last of them does."""
    found = {name: Asking(ask) for name, ask in asked.items()}
    for each in found.values():
        each.thread.start()
    try:
        yield found
    finally:
        for each in found.values():
            each.done.set()
        for each in found.values():
            each.thread.join()


def test_everything_is_renewed_and_nothing_lost(site: Site, rosa: User) -> None:
    before = {name: secret(site, name) for name in HOLDERS}
    bearer = {"Authorization": f"Bearer {rosa.token}"}
    server = f"/user/{rosa.name}/api"
    container = site.container(rosa.service)
    fetch(site, f"{server}/kernels", method="POST", headers=bearer)
    kernels = fetch(site, f"{server}/kernels", headers=bearer).body
    assert b'"id"' in kernels
    browser = Browser(rosa)
    assert visit(browser, "/mlflow/").status == 200

    with asking(
        hub=lambda: fetch(site, "/hub/api/user", headers=bearer),
        mlflow=lambda: fetch(site, "/mlflow/version", headers=bearer),
        server=lambda: fetch(site, f"{server}/status", headers=bearer),
        session=lambda: browser.ask("GET", "/hub/home"),
    ) as asked:
        said = site.notehive("secrets", "rotate").stdout
    print(said, {name: (each.asked, each.failed) for name, each in asked.items()})
    assert {name: each.lost for name, each in asked.items() if each.lost} == {}
    assert all(each.asked > 10 for each in asked.values())

    after = {name: secret(site, name) for name in HOLDERS}
    assert [name for name in HOLDERS if after[name] == before[name]] == []
    assert site.container(rosa.service) == container
    assert kernels.split(b'"id"')[1][:40] in fetch(site, f"{server}/kernels", headers=bearer).body
    assert visit(browser, "/mlflow/").status == 200
    the_former_ones_are_good_for_nothing(site, before)
    assert site.notehive("status").returncode == 0
    up_again_renews_nothing(site, after)


def the_former_ones_are_good_for_nothing(site: Site, secrets: dict[str, str]) -> None:
    for name in ("gate-token", "hub-admin-token"):
        headers = {"Authorization": f"Bearer {secrets[name]}"}
        assert fetch(site, "/hub/api/services", headers=headers).status == 403
    told = f"Authorization: token {secrets['proxy-token']}"
    status = ("-s", "-o", "/dev/null", "-w", "%{http_code}")
    assert site.exec("hub", "curl", *status, "-H", told, "http://proxy:8001/api/routes") == "403"
    code = (
        "import psycopg\n"
        "try: psycopg.connect('host=postgres dbname=hub user=hub', "
        f"password='{secrets['postgres-hub']}', passfile='/dev/null')\n"
        "except psycopg.OperationalError as error: print(error)\n"
    )
    assert "password authentication failed" in site.exec("hub", "python3", "-c", code)
    kept = generations(site)
    former = max(kept) - 1
    assert set(kept) == {former, former + 1}
    assert kept[former] - stack.ENCRYPTING == {"gate-cookie", "hub-cookie", "hub-state"}


def up_again_renews_nothing(site: Site, secrets: dict[str, str]) -> None:
    tasks = site.tasks()
    site.up()
    assert site.tasks() == tasks
    assert {name: secret(site, name) for name in HOLDERS} == secrets


def test_an_interrupted_renewal_is_completed_by_up(site: Site, rosa: User) -> None:
    """What it did first: one secret of a generation that nobody uses yet."""
    before = {name: secret(site, name) for name in HOLDERS}
    labels = (f"--label=notehive.stack={site.name}", "--label=notehive.kind=platform")
    name = f"{site.name}_gate-cookie.{max(generations(site)) + 1}"
    docker("secret", "create", *labels, name, "-", stdin="0123456789abcdef" * 4)
    site.up()
    after = {name: secret(site, name) for name in HOLDERS}
    assert [name for name in HOLDERS if after[name] == before[name]] == []
    assert rosa.ask("GET", "/user")["name"] == rosa.name


def test_who_may_be_somebody_else_has_to_log_in_again(site: Site, rosa: User) -> None:
    browser = Browser(rosa)
    assert visit(browser, "/mlflow/").status == 200
    site.notehive("secrets", "rotate", "--log-out")
    for path in ("/hub/home", "/mlflow/"):
        assert b'name="password"' in visit(browser, path).body
    assert Browser(rosa).ask("GET", "/hub/home").status == 200
    assert len(generations(site)) == 1, "nothing former is kept"
