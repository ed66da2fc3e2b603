"""No password and no token is where somebody could read it."""

import json
import re
from collections.abc import Iterator

import pytest

from notehive.platform import stack
from tests.support.hub import User, user
from tests.support.site import PASSWORD, Site, docker, fetch, run

HOLDERS = {
    "airflow-key": "nginx",
    "api-key": "api",
    "builder-token": "builder",
    "gate-cookie": "gate",
    "gate-token": "gate",
    "git-key": "git",
    "hub-admin-token": "hub",
    "hub-cookie": "hub",
    "hub-state": "hub",
    "jobs-token": "hub",
    "metrics-token": "prometheus",
    "mlflow-key": "mlflow",
    "postgres-airflow": "postgres",
    "postgres-hub": "hub",
    "postgres-metrics": "postgres-exporter",
    "postgres-mlflow": "mlflow",
    "postgres-tables": "api",
    "proxy-token": "proxy",
    "push-token": "git",
    "pypi-key": "pypi",
    "registry-password": "registry",
    "runs-token": "storage",
    "storage-token": "storage",
    "usage-token": "swarm-metrics",
}


@pytest.fixture(scope="module")
def eve(site: Site) -> Iterator[User]:
    """A user with a server, who has used the pages behind the gate."""
    with user(site, "eve") as eve:
        eve.start(image="base", size="small")
        headers = {"Authorization": f"Bearer {eve.token}"}
        fetch(site, f"/user/eve/api/status?token={eve.token}")  # refused, but may be logged
        fetch(site, f"/hub/api/user?token={eve.token}")
        assert fetch(site, "/mlflow/version", headers=headers).status == 200
        yield eve


@pytest.fixture(scope="module")
def secrets(site: Site, eve: User) -> dict[str, str]:
    """Every secret there is, by what it is."""
    found = {}
    for name, service in HOLDERS.items():
        found[name] = site.exec(service, "cat", f"/run/secrets/{name}").rpartition(":")[2]
    found["token of the server"] = site.exec(eve.service, "cat", "/run/secrets/jupyterhub-token")
    found["token of the user"] = eve.token
    found["password of the user"] = PASSWORD
    return found


def test_every_secret_is_known_to_this_test(site: Site, secrets: dict[str, str]) -> None:
    rows = docker(
        *("secret", "ls", "--format", "{{.Name}}"),
        *("--filter", f"label=notehive.stack={site.name}"),
    ).split()
    platform = {row.removeprefix(f"{site.name}_") for row in rows if "_" in row}
    # Without the number of their generation.
    known = {name.partition(".")[0] for name in platform}
    assert known - stack.ENCRYPTING == set(HOLDERS), "what stays of a service that is off aside"
    assert all(len(value) >= 20 for value in secrets.values())
    assert len(set(secrets.values())) == len(secrets)


def test_services_hold_none(site: Site, secrets: dict[str, str]) -> None:
    for service in site.services():
        text = docker("service", "inspect", service)
        for what, value in secrets.items():
            assert value not in text, f"{what} in {service}"


def test_containers_hold_none(site: Site, secrets: dict[str, str]) -> None:
    for service in site.services():
        # Services that pull images have none left.
        for container in site.containers(service):
            text = docker("inspect", container)
            for what, value in secrets.items():
                assert value not in text, f"{what} in {service}"


def test_configs_hold_none(site: Site, secrets: dict[str, str]) -> None:
    names = docker("config", "ls", "--quiet", "--filter", f"label=notehive.stack={site.name}")
    text = site.exec("hub", "cat", "/etc/notehive/hub.json") + docker(
        "config", "inspect", *names.split()
    )
    for what, value in secrets.items():
        assert value not in text, what


def test_images_hold_none(site: Site, secrets: dict[str, str]) -> None:
    images = {
        json.loads(docker("service", "inspect", service))[0]["Spec"]["TaskTemplate"][
            "ContainerSpec"
        ]["Image"]
        for service in site.services()
    }
    for image in images:
        text = docker("history", "--no-trunc", image) + docker("image", "inspect", image)
        for what, value in secrets.items():
            assert value not in text, f"{what} in {image}"


def test_logs_hold_none(site: Site, secrets: dict[str, str]) -> None:
    for service in site.services():
        for container in site.containers(service):
            if docker("inspect", "--format", "{{.HostConfig.LogConfig.Type}}", container) == "none":
                continue
            logs = run("docker", "logs", container)
            for what, value in secrets.items():
                assert value not in logs.stdout + logs.stderr, f"{what} in the log of {service}"


def test_the_project_has_no_default_password(site: Site, secrets: dict[str, str]) -> None:
    tracked = run("git", "grep", "-nIE", r"(password|passwd|secret|token)\s*[:=]\s*[\"'][^\"'$<{]+")
    lines = [
        line
        for line in tracked.stdout.splitlines()
        if not re.match(
            r"(bench|tests|docs|requirements|src)/|CONTRIBUTING|proxy/package-lock", line
        )
    ]
    assert lines == []


def test_each_role_sees_its_own_database_only(site: Site) -> None:
    """A service's password does not open another's database, nor the superuser's."""
    for service, database, user_name in (
        ("mlflow", "hub", "mlflow"),
        ("mlflow", "hub", "hub"),
        ("mlflow", "postgres", "postgres"),
        ("api", "hub", "tables"),
        ("api", "mlflow", "mlflow"),
        ("mlflow", "tables", "mlflow"),
    ):
        code = (
            "import psycopg,sys\n"
            f"try: psycopg.connect('host=postgres dbname={database} user={user_name}')\n"
            "except psycopg.OperationalError as error: print('refused', error)\n"
        )
        assert "refused" in site.exec(service, "python3", "-c", code)
