"""Users' servers: what the Swarm is asked for, homes that last, and names of any kind."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from notehive import naming
from tests.support.hub import User, user
from tests.support.site import PASSWORD, Site, docker, fetch, run, wait_for

NOTE = "/home/jovyan/kept.txt"


@pytest.fixture(scope="module")
def ada(site: Site) -> Iterator[User]:
    """A user of this module."""
    with user(site, "ada", "--group", "lab") as ada:
        yield ada


@pytest.fixture
def server(ada: User) -> Iterator[str]:
    """The user's server: base image, small. Gives the name of its service."""
    yield ada.start(image="base", size="small")
    ada.stop()


def test_the_service_is_what_was_chosen(site: Site, ada: User, server: str) -> None:
    spec = json.loads(docker("service", "inspect", server))[0]["Spec"]
    task = spec["TaskTemplate"]
    container = task["ContainerSpec"]
    assert task["Resources"]["Limits"] == {
        "NanoCPUs": 10**9,
        "MemoryBytes": 2**30,
        "Pids": 1024,
    }
    assert task["Resources"]["Reservations"] == {"NanoCPUs": 10**8, "MemoryBytes": 2**29}
    assert task["RestartPolicy"]["Condition"] == "none"
    assert task["Placement"]["Constraints"] == [f"node.labels.notehive.{site.name}.data == true"]
    assert task["LogDriver"]["Options"]["max-size"]
    assert spec["EndpointSpec"] == {"Mode": "dnsrr"}
    assert container["CapabilityDrop"] == ["ALL"]
    assert "/notehive/notebooks-base:" in container["Image"]
    assert spec["Labels"]["notehive.user"] == ada.name
    mounts = {mount["Target"]: mount for mount in container["Mounts"]}
    root = docker("volume", "inspect", "--format", "{{.Mountpoint}}", f"{site.name}_storage")
    home = {"Type": "bind", "Source": f"{root}/{naming.home(ada.name)}", "Target": "/home/jovyan"}
    assert mounts["/home/jovyan"] == home
    shared = {"Type": "bind", "Source": f"{root}/shared/lab", "Target": "/shared/lab"}
    assert mounts["/shared/lab"] == shared
    assert mounts["/dev/shm"]["TmpfsOptions"] == {"SizeBytes": 2**29}
    # What another group shares with everyone, and nothing else.
    assert set(mounts) == {"/home/jovyan", "/shared/lab", "/shared/guild", "/dev/shm"}
    assert mounts["/shared/guild"]["ReadOnly"]


def test_inside_are_the_limits_and_no_rights(site: Site, ada: User, server: str) -> None:
    limit = site.exec(
        server,
        "sh",
        "-c",
        "cat /sys/fs/cgroup/memory.max 2>/dev/null"
        " || cat /sys/fs/cgroup/memory/memory.limit_in_bytes",
    )
    assert int(limit) == 2**30
    # Of the notebook server itself, not of this test's way in.
    status = site.exec(
        server, "sh", "-c", "cat /proc/$(pgrep --oldest --full python3.*notehive.lab)/status"
    )
    assert "CapEff:\t0000000000000000" in status
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert site.exec(server, "id", "-u") == "1000"
    shm = site.exec(server, "df", "--block-size=1", "--output=size", "/dev/shm").split()[-1]
    assert int(shm) == 2**29


def test_a_file_lasts(site: Site, ada: User) -> None:
    """Through stop and start, `down` and `up`."""
    service = ada.start(image="base", size="small")
    site.exec(service, "sh", "-c", f"echo kept > {NOTE}")
    ada.stop()
    service = ada.start(image="base", size="medium")
    assert site.exec(service, "cat", NOTE) == "kept"
    site.notehive("down")
    assert site.services() == {}
    assert not docker("ps", "--quiet", "--filter", f"label=notehive.stack={site.name}")
    site.up()
    # `down` ended the server behind the hub's back; the hub notices and starts it anew.
    wait_for("the hub to notice", lambda: not (ada.server() or {}).get("ready"), 90)
    service = ada.start(image="base", size="small")
    assert site.exec(service, "cat", NOTE) == "kept"
    ada.stop()


def test_shut_down_from_inside_ends_it_for_good(site: Site, ada: User) -> None:
    """As "Shut Down" in JupyterLab's menu does; nothing resurrects it, nothing is left."""
    service = ada.start(image="base", size="small")
    answer = fetch(
        site,
        f"/user/{ada.name}/api/shutdown",
        method="POST",
        headers={"Authorization": f"Bearer {ada.token}"},
        body=b"",
    )
    assert answer.status == 200
    wait_for("the end of the service", lambda: service not in site.services(), 60)
    wait_for("the end of its token", lambda: not ada.objects(), 30)
    assert not (ada.server() or {}).get("ready")


def test_a_restart_at_once(ada: User) -> None:
    """Stop and at once start again: the new server is reached at its own address."""
    for _ in range(3):
        ada.start(image="base", size="small")
        ada.stop()


WRONG = [
    ({"image": "nope"}, "image"),
    ({"size": "nope"}, "size"),
    ({"image": 3}, "image"),
    ({"size": ["small"]}, "size"),
    ({"image": "base", "mounts": [{"source": "/", "target": "/host"}]}, "mounts"),
    ({"image": "debian:trixie-slim"}, "image"),
    ({"size": "small", "cpu_limit": 64}, "cpu_limit"),
    ({"image": "../base"}, "image"),
]


@pytest.mark.parametrize(("options", "word"), WRONG)
def test_wrong_options_are_refused(
    site: Site, ada: User, options: dict[str, object], word: str
) -> None:
    answer = ada.call("POST", f"/users/{ada.name}/server", options)
    assert answer.status == 400, answer
    assert word in json.loads(answer.body)["message"]
    assert ada.objects() == []


def test_a_reserved_size_is_for_its_group(site: Site, ada: User) -> None:
    with user(site, "bob") as bob:
        answer = bob.call("POST", "/users/bob/server", {"size": "medium"})
        assert answer.status == 400
        assert b"medium" in answer.body
        assert bob.objects() == []
    ada.start(image="base", size="medium")
    ada.stop()


SERVED = ["a.b", "a-b", "a_b", "zoë", "юля", "李雷", "x" * 64]
REFUSED = ["../x", "a/b", "x" * 200, "", " ", "a b", ".hidden", "a\tb", "a..b", "%2e%2e", "a?b"]


@pytest.mark.long
def test_odd_names_are_served_and_never_mixed_up(site: Site) -> None:
    volumes = set()
    for name in SERVED:
        with user(site, name) as odd:
            service = odd.start(image="base", size="small")
            site.exec(service, "sh", "-c", f"echo '{name}' > {NOTE}")
            spec = json.loads(docker("service", "inspect", service))[0]["Spec"]
            volumes.add(spec["TaskTemplate"]["ContainerSpec"]["Mounts"][0]["Source"])
            answer = fetch(
                site,
                f"/user/{quote(name, safe='')}/api/contents/kept.txt",
                headers={"Authorization": f"Bearer {odd.token}"},
            )
            assert json.loads(answer.body)["content"].strip() == name
            odd.stop()
    assert len(volumes) == len(SERVED)


@pytest.mark.parametrize("name", REFUSED)
def test_impossible_names_are_refused_in_a_sentence(site: Site, name: str) -> None:
    done = site.notehive("user", "add", "--password-stdin", "--", name, stdin=PASSWORD, check=False)
    assert done.returncode == 2, done
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_a_restarted_hub_finds_the_servers_again(site: Site, ada: User, server: str) -> None:
    docker("kill", site.container("hub"))
    wait_for("the hub", lambda: fetch(site, "/hub/health").status == 200, 90)
    # Its server's walls learn the hub's new address from the name service, once it answers.
    wait_for("the server to be let in to", lambda: (ada.server() or {}).get("ready"), 30)
    # A name may mean a dead task for half a minute, so the server may miss the hub at first.
    wait_for("the server to find the hub", lambda: server_status(site, ada) == 200, 90)


def server_status(site: Site, user: User) -> int:
    """Status of a request to the user's server."""
    headers = {"Authorization": f"Bearer {user.token}"}
    return fetch(site, f"/user/{user.name}/api/status", headers=headers).status


def test_a_restarted_proxy_knows_its_routes_before_the_hub_says_them(
    site: Site, ada: User, server: str
) -> None:
    def version() -> bool:
        # Until the server's walls know the new proxy, the hub is asked for a page that says so,
        # and is silent.
        host = ("--header", f"Host: {site.host}:{site.port}")
        address = f"http://{site.address}:{site.port}/user/{ada.name}/api"
        options = ("--silent", "--noproxy", "*", "--max-time", "3")
        return '"version"' in run("curl", *options, *host, address, check=False).stdout

    hub = site.container("hub")
    docker("pause", hub)
    try:
        docker("kill", site.container("proxy"))
        wait_for("the route", version, 90)
    finally:
        docker("unpause", hub)
    wait_for("the hub", lambda: server_status(site, ada) == 200, 90)


@pytest.mark.long
def test_a_proxy_that_has_forgotten_its_routes_gets_them_back(
    site: Site, ada: User, server: str
) -> None:
    site.exec("proxy", "rm", "/var/lib/notehive-proxy/routes.json")
    docker("kill", site.container("proxy"))
    wait_for("the route", lambda: server_status(site, ada) == 200, 90)


def test_pip_installs_into_the_home_and_it_lasts(site: Site, ada: User) -> None:
    service = ada.start(image="base", size="small")
    site.exec(service, "pip", "install", "--quiet", "pyjokes")
    ada.stop()
    service = ada.start(image="base", size="small")
    where = site.exec(service, "python3", "-c", "import pyjokes; print(pyjokes.__file__)")
    assert where.startswith("/home/jovyan/.local/")
    ada.stop()
