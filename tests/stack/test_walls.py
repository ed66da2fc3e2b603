"""What a user's server reaches, and who reaches it, on a real site."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from notehive.wall import SIGN
from tests.support import scan
from tests.support.hub import User, user
from tests.support.outside import outside
from tests.support.scan import address
from tests.support.site import Answer, Site, changed, docker, fetch, wait_for


@pytest.fixture(scope="module")
def ana(site: Site) -> Iterator[User]:
    """A user with a server."""
    with user(site, "ana-w") as ana:
        ana.start(image="base", size="small")
        yield ana


@pytest.fixture(scope="module")
def ben(site: Site) -> Iterator[User]:
    """Another one."""
    with user(site, "ben-w") as ben:
        ben.start(image="base", size="small")
        yield ben


def test_a_server_reaches_nginx_and_the_hub_and_nothing_else(
    site: Site, ana: User, ben: User
) -> None:
    near = scan.around(site, ana.service, ben.service)
    assert scan.scan(site, ana.service, near, {*scan.PORTS, site.port}) == scan.allowed(site)
    assert scan.scan(site, ana.service, scan.LINK_LOCAL, [80, 443, 2377, 8888]) == set()
    # By the same addresses written as IPv6 ones.
    other = [f"::ffff:{each}" for each in near if ":" not in each]
    mapped = {(f"::ffff:{to}", port, kind) for to, port, kind in scan.allowed(site)}
    assert scan.scan(site, ana.service, other, {*scan.PORTS, site.port}) == mapped
    # What is in other networks of the platform is nowhere near.
    form = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
    networks = docker("inspect", "--format", form, site.container(ana.service)).split()
    assert networks == [f"{site.name}_users"]


def test_only_the_proxy_and_the_hub_reach_a_server(site: Site, ana: User) -> None:
    """Its JupyterLab, and nothing that its user starts beside that, on all addresses."""
    here, *other = scan.own_addresses(site, ana.service) - {address(site, ana.service)}
    assert other == []
    inside = address(site, ana.service)
    beside = ("python3", "-m", "http.server", "8000")
    site.docker("exec", "--detach", site.container(ana.service), *beside)
    wait_for("it", lambda: answers(site, ana.service, "http://localhost:8000"))
    lab = f"/user/{ana.name}/api"
    callers = ("nginx", "hub", "proxy")
    assert [answers(site, each, f"http://{inside}:8888{lab}") for each in callers] == [0, 1, 1]
    assert not any(answers(site, each, f"http://{inside}:8000") for each in callers)
    # Nor does the node itself, by the bridge.
    for port in (8000, 8888):
        with pytest.raises(TimeoutError):
            socket.create_connection((here, port), timeout=1)


def answers(site: Site, service: str, url: str) -> bool:
    """Whether something answers 200 to a request from a service's container."""
    form = ("--output", "/dev/null", "--write-out", "%{http_code}", "--max-time", "2")
    return site.exec(service, "curl", "--silent", *form, url, check=False) == "200"


def test_nothing_of_others_can_be_read(site: Site, ana: User, ben: User) -> None:
    """Home, token, processes, kernels, files: not in ana's container, and not by her token."""
    site.exec(ben.service, "sh", "-c", "echo hidden > /home/jovyan/secret.txt")
    kernels = f"/user/{ben.name}/api/kernels"
    owner = {"Authorization": f"Bearer {ben.token}"}
    assert ask(site, "POST", kernels, owner).status == 201

    script = (
        "ls /home /srv /mnt /run/secrets; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; "
        "grep -rs hidden /home /shared /srv /mnt /tmp /var/tmp /run"
    )
    seen = site.exec(ana.service, "sh", "-c", script, check=False)
    secret = site.exec(ben.service, "cat", "/run/secrets/jupyterhub-token")
    assert "jovyan" in seen
    assert "hidden" not in seen
    assert ben.name not in seen
    assert secret not in seen

    hers = {"Authorization": f"Bearer {ana.token}"}
    for method, path in (
        ("GET", kernels),
        ("POST", kernels),
        ("GET", f"/user/{ben.name}/api/contents/secret.txt"),
        ("GET", f"/user/{ben.name}/files/secret.txt"),
        ("GET", f"/hub/api/users/{ben.name}"),
        ("POST", f"/hub/api/users/{ben.name}/tokens"),
    ):
        assert ask(site, method, path, hers).status in (403, 404), path


def ask(site: Site, method: str, path: str, headers: dict[str, str]) -> Answer:
    return fetch(
        site, path, method=method, headers=headers, body=b"{}" if method == "POST" else None
    )


# When the platform changes


@pytest.mark.parametrize("service", ["hub", "nginx", "proxy"])
def test_a_service_that_moves_is_followed(site: Site, ana: User, service: str) -> None:
    """Servers reach its new address, and its old one is closed."""
    before = address(site, service)
    docker("service", "update", "--quiet", "--force", f"{site.name}_{service}")
    after = address(site, service)
    assert before != after
    ports = (site.port, 8000, 8001, 8081, 8888)
    wait_for(
        "the new address",
        lambda: (
            scan.scan(site, ana.service, [before, after], ports)
            == {each for each in scan.allowed(site) if each[0] == after}
        ),
        20,
    )
    headers = {"Authorization": f"Bearer {ana.token}"}
    status = f"/user/{ana.name}/api/status"
    wait_for("ana's server", lambda: ask(site, "GET", status, headers).status == 200, 90)


# When the wall is away


@contextmanager
def stopped(site: Site) -> Iterator[None]:
    """The node's wall as it is when its program does nothing."""
    (pid,) = [n for n, args in processes(site, "wall") if args == "python3 -m notehive.wall"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def programs(site: Site, service: str) -> list[str]:
    """What runs in the container of a service."""
    # The others are one that has just ended.
    pauses = ("/usr/bin/sleep 0.05", "[sleep]", "[sleep] <defunct>")
    return [args for _, args in processes(site, service) if args not in pauses]


def processes(site: Site, service: str) -> list[tuple[int, str]]:
    """Number on the node, and command, of each process of a service's container."""
    rows = docker("top", site.container(service), "-eo", "pid,args").splitlines()[1:]
    return [(int(pid), args) for pid, args in (row.split(maxsplit=1) for row in rows)]


def test_walls_outlive_the_wall(site: Site, ana: User, ben: User) -> None:
    near = scan.around(site, ana.service, ben.service)
    before = site.container("wall")
    docker("kill", before)
    assert scan.scan(site, ana.service, near, {*scan.PORTS, site.port}) == scan.allowed(site)
    wait_for("another wall", lambda: site.containers(f"{site.name}_wall", ended=False))
    assert site.container("wall") != before
    assert scan.scan(site, ana.service, near, {*scan.PORTS, site.port}) == scan.allowed(site)


def test_no_program_of_a_user_runs_before_the_walls_stand(site: Site) -> None:
    with user(site, "cara-w") as cara:
        with stopped(site):
            cara.call("POST", f"/users/{cara.name}/server", {"image": "base", "size": "small"})
            wait_for("the container", lambda: site.containers(cara.service, ended=False))
            wait_for("its program", lambda: programs(site, cara.service))
            until = time.monotonic() + 3
            while time.monotonic() < until:
                running = programs(site, cara.service)
                assert all("/usr/local/bin/walled /usr/" in each for each in running), running
        wait_for("the server", lambda: (cara.server() or {}).get("ready"))
        sign = site.exec(cara.service, "cat", "/sys/class/net/lo/ifalias")
        assert sign.startswith(SIGN)


def test_a_program_that_connects_at_once_meets_walls(site: Site, ben: User) -> None:
    """The user's own configuration of Jupyter: it is run before the server is."""
    with user(site, "dora-w") as dora:
        dora.start(image="base", size="small")
        other = address(site, ben.service)
        tries = (
            "import socket\n"
            f"for host, port in (('{other}', 8888), ('hub', 8000), ('hub', 8081)):\n"
            "    try:\n"
            "        socket.create_connection((host, port), 2)\n"
            "        word = 'open'\n"
            "    except OSError as error:\n"
            "        word = error.strerror\n"
            "    print(host, port, word, file=open('/home/jovyan/tried', 'a'))\n"
        )
        file = "/home/jovyan/.jupyter/jupyter_server_config.py"
        write = f'rm -f /home/jovyan/tried; echo "$0" > {file}'  # a kept site has kept homes
        site.exec(dora.service, "sh", "-c", write, tries)
        for _ in range(3):
            dora.stop()
            dora.start(image="base", size="small")
        tried = site.exec(dora.service, "cat", "/home/jovyan/tried").splitlines()
        walled = [
            f"{other} 8888 Connection refused",
            "hub 8000 Connection refused",
            "hub 8081 open",
        ]
        assert tried == walled * 3


@pytest.mark.long
def test_without_a_wall_no_server_starts_and_its_user_reads_why(site: Site) -> None:
    with user(site, "emma-w") as emma:
        with stopped(site):
            answer = emma.call("POST", f"/users/{emma.name}/server", {"image": "base"})
            assert answer.status == 202
            # It ends with the start.
            heard = emma.call("GET", f"/users/{emma.name}/server/progress").body.decode()
        last = json.loads(heard.strip().splitlines()[-1].removeprefix("data:"))
        assert last["failed"] is True
        assert "has no wall, which keeps users' servers apart" in last["message"]
        wait_for("the end of what is left", lambda: not emma.objects())


# What the settings open and close


@pytest.mark.long
def test_settings_close_the_outside_and_open_walls(site: Site, ana: User) -> None:
    """A server that runs is given the new rules, and the old ones again."""
    chosen = site.settings["network"]
    with outside(8001, 8002) as machine:
        ports = (8001, 8002)

        def reached() -> set[int]:
            return {
                port
                for _, port, kind in scan.scan(site, ana.service, [machine.address], ports)
                if kind == "tcp"
            }

        assert reached() == {8001, 8002}
        opening = {"addresses": [machine.address], "ports": [8002], "back": ["8100-8200"]}
        with changed(site, network={**chosen, "outgoing": "none", "openings": {"it": opening}}):
            wait_for("the walls", lambda: reached() == {8002}, 20)
            (bridge,) = scan.own_addresses(site, ana.service) - {address(site, ana.service)}
            for port in (8099, 8100):
                command = ("python3", "-m", "http.server", str(port))
                site.docker("exec", "--detach", site.container(ana.service), *command)
            wait_for("the way back", lambda: machine.fetches(f"http://{bridge}:8100"))
            assert not machine.fetches(f"http://{bridge}:8099")
        wait_for("the walls", lambda: reached() == {8001, 8002}, 20)
        assert not machine.fetches(f"http://{bridge}:8100")
