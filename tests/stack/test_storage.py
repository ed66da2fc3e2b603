"""Homes, shared folders and quotas on a real Swarm: on the data node, and on a directory."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from notehive import naming
from tests.support.hub import User, user
from tests.support.site import Site, changed, docker, fetch, run, wait_for

GROUPS = ("lab", "guild", "quiet")


@contextmanager
def started(user: User, **options: Any) -> Iterator[str]:
    """A server of the user; gives the name of its service."""
    service = user.start(image="base", **{"size": "small", **options})
    try:
        yield service
    finally:
        user.stop()


def sh(site: Site, service: str, script: str, *, check: bool = True) -> str:
    """Run a shell script as the user of a server."""
    return site.exec(service, "sh", "-c", script, check=check)


def root_of(site: Site) -> Path:
    """The directory of the volume that homes are in."""
    name = f"{site.name}_storage"
    return Path(docker("volume", "inspect", "--format", "{{.Mountpoint}}", name))


@pytest.fixture(scope="module")
def people(site: Site) -> Iterator[tuple[User, User]]:
    """Two users: one in all groups, one in none."""
    with (
        user(site, "iris", *(f"--group={name}" for name in GROUPS)) as iris,
        user(site, "jan") as jan,
    ):
        yield iris, jan


def test_a_server_has_its_own_home_and_its_groups_folders(
    site: Site, people: tuple[User, User]
) -> None:
    iris, jan = people
    with started(iris) as hers, started(jan) as his:
        sh(site, hers, "echo private > secret; umask 077; mkdir -p /shared/lab/plan")
        sh(site, hers, "echo draft > /shared/lab/plan/a; echo news > /shared/guild/b")
        assert sh(site, hers, "ls /shared") == "guild\nlab"
        assert sh(site, his, "ls /shared") == "guild"
        # As Lab's file browser sees it.
        listed = fetch(
            site,
            f"/user/{iris.name}/api/contents/shared/guild/b",
            headers={"Authorization": f"Bearer {iris.token}"},
        )
        assert json.loads(listed.body)["content"] == "news\n"
        assert sh(site, his, "cat /shared/guild/b") == "news"
        refused = sh(site, his, "echo mine 2>&1 > /shared/guild/b || echo refused", check=False)
        assert "refused" in refused
        # All that a server mounts of the storage, by the kernel's own list.
        root = str(root_of(site))
        for service, expected in (
            (hers, {naming.home("iris"), "shared/lab", "shared/guild"}),
            (his, {naming.home("jan"), "shared/guild"}),
        ):
            lines = sh(site, service, "cat /proc/self/mountinfo").splitlines()
            sources = {line.split()[3] for line in lines if "_storage/_data" in line.split()[3]}
            assert {source.partition("_data/")[2] for source in sources} == expected
            assert root not in sh(site, service, "ls /")
        assert sh(site, his, "find / -name secret -path '*jovyan*' 2>/dev/null", check=False) == ""


def test_members_write_each_others_files(site: Site, people: tuple[User, User]) -> None:
    iris, _ = people
    with user(site, "kim", "--group", "lab") as kim, started(iris) as hers, started(kim) as kims:
        sh(site, hers, "umask 077; mkdir -p /shared/lab/deep; echo hers > /shared/lab/deep/file")
        sh(site, kims, "echo kims >> /shared/lab/deep/file; touch /shared/lab/deep/another")
        assert sh(site, hers, "cat /shared/lab/deep/file") == "hers\nkims"
        assert sh(site, hers, "stat -c '%u:%g %A' /shared/lab") == "1000:100 drwxrws---"
        sh(site, hers, "rm -r /shared/lab/deep")


def test_the_home_is_the_users_and_closed_to_others(site: Site, people: tuple[User, User]) -> None:
    iris, _ = people
    with started(iris):
        home = root_of(site) / naming.home("iris")
        found = home.stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (1000, 100, 0o700)
        assert (home / ".local/state/notehive/given").exists()


def test_servers_do_not_reach_the_keeper(site: Site, people: tuple[User, User]) -> None:
    _, jan = people
    addresses = docker(
        *("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"),
        site.container("storage"),
    ).split()
    with started(jan) as service:
        for host in ("storage", *addresses):
            ask = f"curl --silent --max-time 3 http://{host}:8091/health"
            assert sh(site, service, ask, check=False) != "ok"


def test_the_keeper_has_no_rights(site: Site) -> None:
    status = site.exec("storage", "cat", "/proc/1/status")
    for kind in ("CapEff", "CapPrm", "CapBnd"):
        assert f"{kind}:\t0000000000000000" in status
    assert site.exec("storage", "id", "-u") == "1000"


# The quota


@pytest.mark.long
def test_over_quota_only_a_rescue_server_starts(site: Site, people: tuple[User, User]) -> None:
    iris, _ = people
    with changed(site, storage={"quota": "20M"}):
        with started(iris) as service:
            sh(site, service, "head -c 30M /dev/urandom > big")
        wait_for("the keeper to notice", lambda: usage_of(site, "iris")["used"] > 30 * 2**20)
        assert usage_of(site, "iris")["quota"] == 20 * 2**20
        for path in ("server", "servers/second"):
            answer = iris.call("POST", f"/users/iris/{path}", {"image": "base", "size": "medium"})
            assert answer.status == 400, answer
            message = json.loads(answer.body)["message"]
            assert "of 20MB; start a server of the smallest size" in message
            assert "That is small." in message
        assert not iris.objects()
        with started(iris) as service:
            token = sh(site, service, "cat /run/secrets/jupyterhub-token")
            said = fetch(site, "/hub/api/storage", headers={"Authorization": f"Bearer {token}"})
            told = json.loads(said.body)
            assert told["quota"] == 20 * 2**20 < told["used"]
            notices = wait_for("Lab to know", lambda: notices_of(site, iris))
            assert (notices["home_used"], notices["home_quota"]) == (told["used"], told["quota"])
            sh(site, service, "rm big")
        with started(iris, size="medium"):
            pass


def usage_of(site: Site, name: str) -> dict[str, Any]:
    """What the operator is told about a user's home."""
    homes = json.loads(site.notehive("status", "--json").stdout)["homes"]
    for home in homes:
        if home["user"] == name:
            found: dict[str, Any] = home
            return found
    return {"used": 0}


def notices_of(site: Site, user: User) -> dict[str, Any]:
    """What Lab is to tell its user, once the server has asked about the home."""
    headers = {"Authorization": f"Bearer {user.token}"}
    answer = fetch(site, f"/user/{user.name}/notehive/notices", headers=headers)
    notices: dict[str, Any] = json.loads(answer.body)
    return notices if notices["home_quota"] else {}


# On a directory that every node has


@pytest.fixture
def directory() -> Iterator[Path]:
    """A small file system, mounted: a stand-in for that of a cluster."""
    path = Path(tempfile.mkdtemp(prefix="notehive-"))
    run("mount", "-t", "tmpfs", "-o", "size=48m,mode=0711,uid=1000,gid=100", "tmpfs", str(path))
    yield path
    run("umount", str(path))
    path.rmdir()


@pytest.mark.long
def test_on_a_directory_of_all_nodes_and_a_full_one(site: Site, directory: Path) -> None:
    with changed(site, storage={"path": str(directory)}), user(site, "lea") as lea:
        with started(lea) as service:
            task = json.loads(docker("service", "inspect", service))[0]["Spec"]["TaskTemplate"]
            assert not task["Placement"].get("Constraints"), "servers run on any node"
            home = {
                "Type": "bind",
                "Source": f"{directory}/{naming.home('lea')}",
                "Target": "/home/jovyan",
            }
            assert home in task["ContainerSpec"]["Mounts"]
            sh(site, service, "echo kept > note; cat /dev/zero > full || true")
            assert os.statvfs(directory).f_bavail == 0
        with started(lea) as service:  # from nothing but a full disk
            assert sh(site, service, "cat note") == "kept"
            sh(site, service, "rm full")
        assert (directory / naming.home("lea") / "note").read_text() == "kept\n"


@pytest.mark.long
def test_without_its_directory_nobody_starts_in_an_empty_home(site: Site, directory: Path) -> None:
    """A file system that is not mounted must not look like lost data."""
    with changed(site, storage={"path": str(directory)}), user(site, "max") as late:
        (directory / "homes").rename(directory / "away")
        answer = late.call("POST", "/users/max/server", {"image": "base"})
        (directory / "away").rename(directory / "homes")
        assert answer.status == 503, answer
        assert "storage of homes does not do its part" in json.loads(answer.body)["message"]


# From earlier versions


@pytest.mark.long
def test_a_home_that_was_a_volume_is_moved(site: Site) -> None:
    with user(site, "nia") as nia:
        old = f"{site.name}-home-{naming.slug('nia')}"
        docker("volume", "create", "--label", f"notehive.stack={site.name}", old)
        data = Path(docker("volume", "inspect", "--format", "{{.Mountpoint}}", old))
        (data / "old").write_text("of before")
        os.chown(data, 1000, 100)
        assert "moved 1 homes into it" in site.up()
        assert old not in docker("volume", "ls", "--quiet").split()
        with started(nia) as service:
            assert sh(site, service, "cat old") == "of before"
