"""Nginx as the front door, alone, with each kind of certificate."""

import subprocess

import pytest

from .conftest import ROOT, built
from .containers import Container, Containers, until

HOST = "workbench.example.com"
URL = f"https://{HOST}:8443"
KEPT = "/var/lib/notehive/certificates"


def front(containers: Containers, **environment: str) -> Container:
    """A container of it, not started yet."""
    values = {
        **{"PORT": "8443", "HTTP_PORT": "8080", "SERVICES": "mlflow", "URL": URL, "HOST": HOST},
        "SUBDOMAINS": "no",
        **environment,
    }
    options = tuple(f"--env={key}={value}" for key, value in values.items())
    nginx = containers.create(built("nginx"), options=options)
    nginx.write("/run/secrets/mlflow-key", b"key")  # each service behind the gate has one
    return nginx


def start(container: Container, address: str) -> None:
    container.start()
    until(lambda: "ok" in ask(container, f"{address}/healthz"), "Nginx answers")


def ask(container: Container, address: str) -> str:
    """Status, headers and body of an answer, from inside the container."""
    return container.sh(f"curl --silent --insecure --include {address} || true").lower()


def subject(container: Container) -> str:
    """Whom the certificate that is served names."""
    return container.sh(
        f"echo | openssl s_client -connect localhost:8443 -servername {HOST} 2>/dev/null"
        " | openssl x509 -noout -serial -subject"
    )


@pytest.fixture(scope="module")
def certificate() -> bytes:
    """One with its key and its authority, as `up` makes it."""
    made = subprocess.run([ROOT / "nginx/self-signed", HOST], capture_output=True, check=True)
    return made.stdout


def test_self_signed(containers: Containers, certificate: bytes) -> None:
    nginx = front(containers, TLS="self-signed")
    nginx.write("/run/secrets/certificate", certificate)
    start(nginx, "https://localhost:8443")
    assert "strict-transport-security" not in ask(nginx, "https://localhost:8443/hub/")
    assert f"location: {URL}/a?b=c" in ask(nginx, "http://localhost:8080/a?b=c")
    assert "404" in ask(nginx, "http://localhost:8080/.well-known/acme-challenge/x").split("\n")[0]


def test_acme_begins_with_a_temporary_certificate(
    containers: Containers, certificate: bytes
) -> None:
    nginx = front(containers, TLS="acme")
    start(nginx, "https://localhost:8443")
    temporary = subject(nginx)
    nginx.write(f"{KEPT}/webroot/.well-known/acme-challenge/x", b"proof")
    assert "proof" in ask(nginx, "http://localhost:8080/.well-known/acme-challenge/x")
    nginx.write(f"{KEPT}/site.pem", certificate)
    until(lambda: subject(nginx) != temporary, "Nginx takes the one that came")
    assert "strict-transport-security: max-age=" in ask(nginx, "https://localhost:8443/hub/")
    assert nginx.sh("stat -c %a /tmp/nginx/temporary.pem") == "600"


def test_behind_a_proxy_with_tls(containers: Containers) -> None:
    """It speaks plain http where it was told to, and sends nobody to https in circles."""
    nginx = front(containers, TLS="off", PORT="8080", HTTP_PORT="0")
    start(nginx, "http://localhost:8080")
    assert "location: /hub/" in ask(nginx, "http://localhost:8080/")
    assert "strict-transport-security" not in ask(nginx, "http://localhost:8080/hub/")
    assert 'default "https"' in nginx.sh("grep site_scheme /tmp/nginx/site.conf")
    assert "proxy_cookie_flags ~ secure" in nginx.sh("cat /tmp/nginx/listen.conf")


def test_names_of_users_are_for_their_servers(containers: Containers, certificate: bytes) -> None:
    nginx = front(containers, TLS="self-signed", SUBDOMAINS="yes")
    nginx.write("/run/secrets/certificate", certificate)
    start(nginx, "https://localhost:8443")
    for host, path, status in (
        (f"ana.{HOST}:8443", "/user/ana/", 502),  # to the proxy, which is not there
        (f"ana.{HOST}:8443", "/mlflow/", 302),
        (f"ana.{HOST}:8443", "/gate/login", 302),
        (f"ana.{HOST}:8443", "/hub/api", 302),
        (f"{HOST}:8443", "/hub/api", 502),
    ):
        said = ask(nginx, f"-H 'Host: {host}' https://localhost:8443{path}")
        assert f" {status}" in said.split("\n")[0], (host, path)
        assert (f"location: {URL}{path}" in said) == (status == 302)


def test_without_tls_cookies_are_for_http(containers: Containers) -> None:
    nginx = front(containers, TLS="off", PORT="8080", HTTP_PORT="0", URL="http://x:8080")
    start(nginx, "http://localhost:8080")
    assert "secure" not in nginx.sh("cat /tmp/nginx/listen.conf")
    assert 'default "http"' in nginx.sh("grep site_scheme /tmp/nginx/site.conf")
