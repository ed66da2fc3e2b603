"""The site over https: with files of the operator's, from an ACME server, behind a proxy."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout, TCPConnector
from playwright.sync_api import Page, WebSocket, expect

from tests.browser.conftest import SECONDS, Login, MakeUser
from tests.browser.lab import IDLE, choose, open_notebook, start_server
from tests.support.authority import Authority, Pair
from tests.support.hub import User, user
from tests.support.kernel import Kernel, ThisMachine
from tests.support.pebble import pebble
from tests.support.site import NUMBER, ROOT, Site, changed, docker, fetch, run, wait_for
from tests.support.testssl import SERIOUS, scan

pytestmark = pytest.mark.changes_site

HTTP_PORT = 18180 + NUMBER
# Of a private authority: nobody publishes what it has revoked.
PRIVATE = {"cert_revocation"}
LOGS = """\
import mlflow
with mlflow.start_run(run_name="over-tls"):
    mlflow.log_metric("seen", 1)
"""


def https(site: Site) -> str:
    return site.url.replace("http:", "https:")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(site: Site, authority: Authority) -> Pair:
    return authority.issue(site.host)


@pytest.fixture(scope="module")
def secure(site: Site, authority: Authority, pair: Pair) -> Iterator[Site]:
    """The site with a certificate of a private authority."""
    site.authority = authority.file
    tls = {
        "kind": "files",
        "certificate": str(pair.certificate),
        "key": str(pair.key),
        "authority": str(authority.file),
        "http_port": HTTP_PORT,
    }
    with changed(site, url=https(site), tls=tls):
        yield site


def serial(site: Site) -> str:
    """Serial number of the certificate that is served; it must be one that clients trust."""
    with site.connect() as connection:
        certificate: dict[str, Any] = connection.getpeercert()  # type: ignore[attr-defined]
        return str(certificate["serialNumber"])


def curl(*args: str) -> dict[str, str]:
    """Status and headers of an answer, without following where it leads."""
    said = run("curl", "--silent", "--noproxy", "*", "--dump-header", "-", *args).stdout
    status, *headers = said.strip().splitlines()
    pairs = (line.partition(": ") for line in headers if ": " in line)
    version, code, *_ = status.split()
    return {"version": version, "status": code, **{key.lower(): value for key, _, value in pairs}}


def test_plain_http_leads_to_https(secure: Site) -> None:
    # The name of the request leads nowhere else.
    for port in (HTTP_PORT, secure.port):
        answer = curl("-H", "Host: evil.example", f"http://127.0.0.1:{port}/hub/login?next=%2Fx")
        assert answer["status"] == "301"
        assert answer["location"] == f"{secure.url}/hub/login?next=%2Fx"
        assert "strict-transport-security" in answer  # browsers take it over https alone


def test_http2_is_spoken(secure: Site, authority: Authority) -> None:
    """The tests' Chromium does not."""
    here = f"{secure.host}:{secure.port}:127.0.0.1"
    answer = curl("--cacert", str(authority.file), "--resolve", here, f"{secure.url}/healthz")
    assert (answer["version"], answer["status"]) == ("HTTP/2", "200")


def test_headers(secure: Site) -> None:
    for path in ("/healthz", "/hub/login", "/mlflow/", "/gate/login", "/nothing"):
        headers = {key.lower(): value for key, value in fetch(secure, path).headers.items()}
        assert headers["strict-transport-security"] == "max-age=31536000"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert "frame-ancestors" in headers["content-security-policy"]
        assert "server" not in headers or headers["server"] == "nginx"  # without its version


def test_the_operator_sees_nothing_wrong(secure: Site) -> None:
    assert secure.notehive("status").returncode == 0


def test_one_login_over_https(secure: Site, page: Page, login: Login, make_user: MakeUser) -> None:
    """Log in, run a notebook that logs to MLflow by the site's own name, follow its link."""
    tess = make_user("tess")
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(_url(socket)))
    login(page, tess.name)
    assert page.url.startswith(secure.url)
    start_server(page, tess, "Base", "Small")
    page.locator(".jp-LauncherCard[data-category='Notebook']").first.click()
    panel = open_notebook(page, "Untitled.ipynb")
    panel.locator(".jp-CodeCell .cm-content").first.fill(LOGS)
    choose(page, "Run", "Run All Cells")
    link = panel.locator(".jp-OutputArea-output a").filter(has_text="/runs/")
    expect(link).to_be_visible(timeout=120 * SECONDS)
    expect(page.get_by_text(IDLE)).to_be_visible()
    assert (link.get_attribute("href") or "").startswith(f"{secure.url}/mlflow/")
    with page.context.expect_page() as opened:
        link.click()
    expect(opened.value.get_by_text("over-tls").first).to_be_visible()
    assert sockets
    assert all(socket.startswith("wss://") for socket in sockets)
    cookies = page.context.cookies()
    names = " ".join(str(cookie.get("name")) for cookie in cookies)
    for kind in ("jupyterhub-session-id", "jupyterhub-user", "_xsrf", "notehive-gate"):
        assert kind in names
    assert [cookie.get("name") for cookie in cookies if not cookie.get("secure")] == []


def _url(socket: WebSocket) -> str:
    return str(socket.url)


# curl takes every name below localhost for this machine, and git asks with its library.
FIND = "at={host}:{port}:$(getent ahostsv4 {host} | cut -d' ' -f1 | head -n1); "
PROGRAMS = {
    "curl": FIND + 'curl --fail --silent --resolve "$at" {url}/healthz',
    "git": FIND
    + "git -c http.curloptResolve=\"$at\" ls-remote {url}/no.git 2>&1 | grep 'not found'",
    "pip": "python3 -m pip download --retries 0 --index-url {url}/no x > /tmp/said 2>&1;"
    " grep 'No matching' /tmp/said && ! grep SSL /tmp/said",
    "requests": "python3 -c 'import requests; print(requests.get(\"{url}/healthz\").text)'",
    "urllib": "python3 -c 'from urllib.request import urlopen; urlopen(\"{url}/healthz\")' && echo",
}


@pytest.fixture(scope="module")
def programmer(secure: Site) -> Iterator[User]:
    """A user with a server."""
    with user(secure, "programmer") as programmer:
        programmer.start(image="base", size="small")
        yield programmer


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_in_servers_trust_the_site(secure: Site, programmer: User, program: str) -> None:
    command = PROGRAMS[program].format(url=secure.url, host=secure.host, port=secure.port)
    run("docker", "exec", secure.container(programmer.service), "sh", "-c", command)


def test_the_key_is_nowhere_to_be_read(secure: Site, pair: Pair) -> None:
    """Its second line is of the key alone."""
    secret = pair.key.read_text().splitlines()[1]
    names = docker("config", "ls", "--quiet", "--filter", f"label=notehive.stack={secure.name}")
    said = [docker("config", "inspect", *names.split()), secure.notehive("settings").stdout]
    for service in secure.services():
        said.append(docker("service", "inspect", service))
        for container in secure.containers(service):
            said.append(docker("inspect", container))
            logs = run("docker", "logs", container, check=False)
            said += [logs.stdout, logs.stderr]
    for file in (ROOT / ".notehive/stacks" / secure.name).rglob("*"):
        if file.is_file():
            said.append(file.read_text(errors="replace"))
    assert all(secret not in each for each in said)
    assert secret in secure.exec("nginx", "cat", "/run/secrets/certificate")


@pytest.mark.long
def test_testssl_finds_nothing_serious(secure: Site, tmp_path: Path) -> None:
    found = scan(secure, tmp_path)
    looked_at = {each.id for each in found}
    assert {
        "TLS1",
        "TLS1_2",
        "TLS1_3",
        "heartbleed",
        "BREACH",
        "HSTS_time",
        "cert_trust",
    } <= looked_at
    serious = [each for each in found if each.severity in SERIOUS and each.id not in PRIVATE]
    assert serious == []


def test_a_renewed_file_is_served_after_up(secure: Site, authority: Authority) -> None:
    before = serial(secure)
    secrets = secure_secrets(secure)
    authority.issue(secure.host)  # into the same files
    secure.up()
    assert serial(secure) != before
    assert len(secure_secrets(secure)) == 1
    assert secure_secrets(secure) != secrets


def secure_secrets(site: Site) -> list[str]:
    """Names of the Swarm secrets that hold the site's key."""
    rows = docker("secret", "ls", "--format", "{{.Name}}").split()
    return [row for row in rows if row.startswith(f"{site.name}_certificate-")]


async def renewed_while_in_use(site: Site, owner: User) -> str:
    """Have the certificate renewed while a kernel is connected; give what that still knows."""
    connector = TCPConnector(resolver=ThisMachine(), ssl=site.tls)
    async with (
        ClientSession(connector=connector, timeout=ClientTimeout(total=None)) as session,
        Kernel(
            session,
            f"{site.url}/user/{owner.name}",
            {"Authorization": f"Bearer {owner.token}"},
        ) as kernel,
    ):
        await kernel.execute("answer = 6 * 7")
        await asyncio.to_thread(renew, site)
        return await kernel.execute("answer")


def renew(site: Site) -> None:
    """Let certbot believe that it is time, and wait until Nginx serves what it got."""
    before = serial(site)
    kept = "/var/lib/notehive/certificates"
    due = "sed -i 's/^.*renew_before_expiry.*/renew_before_expiry = 9999 days/'"
    site.exec("certbot", "sh", "-c", f"{due} {kept}/accounts/*/renewal/*.conf")
    # What the service does twice a day.
    begin = ("--env", "SOON=0", site.container("certbot"), "/opt/notehive/certbot/start")
    docker("exec", "--detach", *begin)
    wait_for("the new certificate", lambda: serial(site) != before)


@pytest.mark.long
def test_acme(site: Site, authority: Authority, tmp_path: Path) -> None:
    """A certificate comes with `up`, is renewed without an end to connections; failures are told.

    certbot as in earnest, against Pebble on this machine.
    """
    with pebble(site, tmp_path, HTTP_PORT) as server:
        tls = {
            "kind": "acme",
            "server": server.url,
            "authority": str(server.authority),
            "http_port": HTTP_PORT,
        }
        site.authority = server.authority
        with changed(site, url=https(site), tls=tls):
            assert serial(site)
            assert curl(f"http://127.0.0.1:{HTTP_PORT}/x")["location"] == f"{site.url}/x"
            with user(site, "acme") as owner:
                owner.start(image="base", size="small")
                # (In a thread of its own: Playwright's loop runs in this one.)
                with ThreadPoolExecutor(1) as thread:
                    result = thread.submit(asyncio.run, renewed_while_in_use(site, owner)).result()
                assert result == "42"
            assert site.notehive("status").returncode == 0
            nobody = "SERVER=https://127.0.0.1:1/dir /opt/notehive/certbot/obtain || true"
            site.exec("certbot", "sh", "-c", nobody)
            told = site.notehive("status", check=False)
            assert told.returncode == 1
            assert "tls: the ACME server gives no certificate:" in " ".join(told.stdout.split())
