"""Repositories of groups, used from users' servers by the git that is there."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import uuid4

import pytest

from tests.stack.test_artifacts import Watch
from tests.support.hub import user
from tests.support.owner import Owner
from tests.support.people import logged_in
from tests.support.site import Site, docker, fetch, wait_for

MIB = 2**20


@dataclass
class Committer(Owner):
    """One who makes repositories and commits."""

    def make(self, group: str) -> str:
        """Have the API make a repository; give its name."""
        name = f"m-{uuid4().hex[:10]}"
        body = {"name": name, "group": group}
        code = f"from notehive.models.client import ask; ask('POST', '/models', {body})"
        self.does(f'python3 -c "{code}"')
        return name

    def cloned(self, group: str) -> str:
        """Make a repository, clone it, and push a first commit; give its name."""
        name = self.make(group)
        self.does(f"git clone -q {self.site.url}/git/{group}/{name}.git")
        self.commit(name, "echo one > a.txt")
        self.does("git push -q origin main", at=name)
        return name

    def commit(self, name: str, script: str) -> None:
        """Commit in a clone what a script makes there."""
        self.does(f"{script}; git add -A; git commit -qm 'Change it'", at=name)


@pytest.fixture(scope="module")
def people(site: Site) -> Iterator[dict[str, Committer]]:
    """A member of the group `lab`, and one of `guild`, which shares with everyone."""
    with ExitStack() as stack:
        found = {}
        for name, group in (("gina", "lab"), ("olaf", "guild")):
            one = stack.enter_context(user(site, name, "--group", group))
            one.start(image="base", size="small")
            found[name] = Committer(site, one)
        yield found


@pytest.fixture
def gina(people: dict[str, Committer]) -> Committer:
    """The member of `lab`."""
    return people["gina"]


@pytest.fixture
def olaf(people: dict[str, Committer]) -> Committer:
    """The member of `guild`."""
    return people["olaf"]


def test_clone_commit_and_push_without_a_password(site: Site, gina: Committer) -> None:
    gina.does("git config --global credential.helper store")
    name = gina.cloned("lab")
    gina.commit(name, "echo two > a.txt")
    said = gina.does("git push origin main", at=name)
    assert f"remote: {site.url}/git/lab/{name}.git/" in said
    assert gina.does("git log -1 --format='%an <%ae>'", at=name).strip() == (
        f"gina <gina@{site.host}>"
    )
    # What the credential helper gave was stored nowhere.
    gina.does("test ! -s ~/.git-credentials")
    token = "$(cat /run/secrets/jupyterhub-token)"
    gina.does(f'! grep -r "{token}" . /run/jupyter/gitconfig ~/.gitconfig', at=name)
    gina.does("git config --global --unset credential.helper")

    told = json.loads(gina.ask("GET", f"/notehive-api/models/lab/{name}").body)
    assert (told["commit"]["author"], told["commit"]["subject"]) == ("gina", "Change it")
    pushes = json.loads(gina.ask("GET", f"/notehive-api/models/lab/{name}/pushes").body)
    assert [(push["user"], push["updates"][0]["ref"]) for push in pushes] == [
        ("gina", "refs/heads/main"),
        ("gina", "refs/heads/main"),
    ]
    assert pushes[0]["updates"][0]["new"] == told["commit"]["id"]


def test_the_home_has_its_own_say(gina: Committer) -> None:
    gina.does("git config --global user.name Regina")
    name = gina.cloned("lab")
    assert gina.does("git log -1 --format=%an", at=name).strip() == "Regina"
    gina.does("git config --global --unset user.name")


def test_jupyterlab_git_pushes(gina: Committer) -> None:
    name = gina.cloned("lab")
    gina.commit(name, "echo three > a.txt")
    # Where the site is, which `shell` tells to what it runs.
    gina.does('git config --global http.curloptResolve "$(git config http.curloptResolve)"')
    answer = gina.ask("POST", f"/user/gina/git/{name}/push", {})
    gina.does("git config --global --unset http.curloptResolve")
    assert answer.status == 200 and json.loads(answer.body)["code"] == 0, answer
    told = json.loads(gina.ask("GET", f"/notehive-api/models/lab/{name}").body)
    assert told["commit"]["id"] == gina.does("git rev-parse HEAD", at=name).strip()


def test_another_group_is_refused(site: Site, gina: Committer, olaf: Committer) -> None:
    name = gina.cloned("lab")
    answers = set()
    for each in (name, "nowhere"):
        code, said = olaf.shell(f"git ls-remote {site.url}/git/lab/{each}.git")
        assert code != 0
        answers.add(said.replace(each, "NAME"))
        assert olaf.ask("GET", f"/git/lab/{each}.git/").status == 404
    assert len(answers) == 1, "it would tell which names there are"
    assert name.encode() not in olaf.ask("GET", "/git/").body
    assert name.encode() not in olaf.ask("GET", "/notehive-api/models").body
    assert olaf.ask("POST", "/notehive-api/models", {"name": "x1", "group": "lab"}).status == 403


def test_readers_fetch_and_do_not_push(site: Site, gina: Committer, olaf: Committer) -> None:
    name = olaf.cloned("guild")
    gina.does(f"git clone -q {site.url}/git/guild/{name}.git")
    gina.commit(name, "echo mine > a.txt")
    code, said = gina.shell("git push origin main", at=name)
    assert code != 0 and "you may fetch it; its group's members push" in said
    assert name.encode() in gina.ask("GET", "/git/").body


def test_main_only_grows(gina: Committer) -> None:
    name = gina.cloned("lab")
    code, said = gina.shell("git commit -q --amend -m Other; git push --force origin main", at=name)
    assert code != 0 and "main: cannot be rewritten" in said
    code, said = gina.shell("git push origin :main", at=name)
    assert code != 0 and "refusing to delete the current branch" in said


@pytest.mark.parametrize("size", [300, pytest.param(2500, marks=pytest.mark.long)])
def test_a_large_push_streams(site: Site, gina: Committer, size: int) -> None:
    """Little in memory, and nothing on the disk but what is kept."""
    name = gina.cloned("lab")
    gina.commit(name, f"head -c {size}M /dev/urandom > large.bin")
    with Watch(site, "nginx") as nginx, Watch(site, "git") as git:
        gina.does("git push -q origin main", at=name)
        gina.does(f"git clone -q {site.url}/git/lab/{name}.git again")
    for each in (nginx, git):
        assert each.memory - each.before < 100 * MIB
        assert each.disk < MIB
    gina.does(f"cmp {name}/large.bin again/large.bin && rm -rf {name} again")


def test_a_push_is_kept_while_the_api_is_down(site: Site, gina: Committer) -> None:
    name = gina.cloned("lab")
    gina.commit(name, "echo four > a.txt")
    service = f"{site.name}_api"
    docker("service", "scale", "--detach", f"{service}=0")
    try:
        wait_for("the end of the api", lambda: not site.containers(service, ended=False))
        said = gina.does("git push origin main", at=name)
    finally:
        docker("service", "scale", f"{service}=1")
    assert "remote: Notehive: your commits are kept" in said
    wait_for("the api", lambda: gina.ask("GET", "/notehive-api/models").status == 200)
    told = json.loads(gina.ask("GET", f"/notehive-api/models/lab/{name}").body)
    assert told["commit"]["id"] == gina.does("git rev-parse HEAD", at=name).strip()


# Pages


def test_pages_run_nothing(gina: Committer) -> None:
    name = gina.cloned("lab")
    gina.commit(
        name,
        "echo '<script>x</script><b>bold</b>' > README.md; cp README.md page.html;"
        " echo '<svg onload=\"x\"/>' > x.svg; mkdir 'a b'; echo x > 'a b/é.txt'",
    )
    gina.does("git push -q origin main", at=name)
    pages = ("", "log/", "tree/", "commit/", "diff/", "refs/", "about/", "blame/page.html")
    for page in (*pages, "tree/a%20b/%C3%A9.txt", "tree/page.html", "stats/"):
        answer = gina.ask("GET", f"/git/lab/{name}.git/{page}")
        assert answer.status == 200, (page, answer)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src") and "script" not in policy
        assert b"<script" not in answer.body and b"<b>bold" not in answer.body, page
        assert b"/cgit.js" not in answer.body
    for file in ("page.html", "x.svg", "README.md"):
        answer = gina.ask("GET", f"/git/lab/{name}.git/plain/{file}")
        assert answer.status == 200
        assert answer.headers["Content-Security-Policy"].endswith("; sandbox")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Type"].startswith("text/plain"), file
    assert gina.ask("HEAD", f"/git/lab/{name}.git/log/").status == 200


@pytest.mark.parametrize(
    "path",
    [
        "HEAD",
        "config",
        "info/refs",
        "objects/info/packs",
        "notehive-pushes.jsonl",
        "log/?url=lab",
        "tree/..%2f..%2f",
        "%2e%2e/%2e%2e/etc/passwd",
        "snapshot/x.tar.gz",
    ],
)
def test_what_is_no_page_is_nothing(gina: Committer, path: str) -> None:
    name = "paths"
    gina.ask("POST", "/notehive-api/models", {"name": name, "group": "lab"})
    assert gina.ask("GET", f"/git/lab/{name}.git/").status == 200
    assert gina.ask("GET", f"/git/lab/{name}.git/{path}").status == 404


def test_git_is_asked_for_a_password_and_people_for_a_login(site: Site) -> None:
    path = "/git/lab/x.git/info/refs?service=git-upload-pack"
    answer = fetch(site, path)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert fetch(site, "/git/", headers={"Accept": "text/html"}).status == 302


def test_a_page_of_another_site_makes_nothing(site: Site, gina: Committer) -> None:
    person = logged_in(site, "gina")
    body = json.dumps({"name": "csrf", "group": "lab"}).encode()
    for headers in (
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        answer = person.ask(
            "POST", "/notehive-api/models", body, {"Content-Type": "application/json", **headers}
        )
        assert answer.status == 403
    answer = person.ask("POST", "/notehive-api/models", body, {"Content-Type": "text/plain"})
    assert answer.status == 415
    assert gina.ask("GET", "/notehive-api/models/lab/csrf").status == 404


def test_who_is_beside_them_is_nobody(site: Site) -> None:
    """From a container of the same network, past Nginx."""
    told = ("X-Notehive-User: boss", "X-Notehive-Admin: yes", f"X-Notehive-Key: {'0' * 64}")
    given = [part for header in told for part in ("--header", header)]
    for url in ("http://git:8093/", "http://api:8092/notehive-api/models"):
        out = site.exec("gate", "curl", "--silent", "--include", *given, url)
        assert out.startswith("HTTP/1.1 403"), out
    out = site.exec("gate", "curl", "--silent", "--include", "-XPOST", "http://api:8092/pushes")
    assert out.startswith("HTTP/1.1 401"), out


def test_the_services_have_no_rights_of_the_machine(site: Site) -> None:
    for service in ("git", "api"):
        status = site.exec(service, "cat", "/proc/1/status")
        assert "CapBnd:\t0000000000000000" in status
        assert site.exec(service, "id", "-u") == "999"
