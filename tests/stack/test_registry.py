"""The registry: pulls on every node's loopback, pushes with the builder's credential alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from notehive import settings
from notehive.platform import distribute
from tests.support.hub import User, user
from tests.support.site import Site, docker, fetch, run


@pytest.fixture
def small_image(site: Site) -> Iterator[str]:
    """An image of a few bytes, under the name that nodes pull by."""
    reference = f"127.0.0.1:{site.settings['network']['registry_port']}/notehive/probe:1"
    docker("import", "-", reference, stdin="")
    yield reference
    docker("rmi", "--force", reference, check=False)


def test_what_is_pushed_is_pulled_through_the_forwarder(
    site: Site, small_image: str, tmp_path: Path
) -> None:
    distribute.push_all(settings.load(site.file), [small_image], lambda text: None)
    docker("rmi", small_image)
    docker("pull", small_image)
    assert docker("image", "inspect", "--format", "{{.RepoTags}}", small_image)
    config = Path.home() / ".docker/config.json"
    assert not config.exists() or "127.0.0.1" not in config.read_text()


def test_the_forwarder_forwards_no_push(site: Site, small_image: str) -> None:
    done = run("docker", "push", small_image, check=False)
    assert done.returncode != 0


def test_nobody_pushes_without_the_credential(site: Site, small_image: str) -> None:
    port = site.settings["network"]["registry_port"] + 1
    direct = small_image.replace(str(port - 1), str(port))
    docker("tag", small_image, direct)
    try:
        done = run("docker", "push", direct, check=False)
    finally:
        docker("rmi", direct)
    assert done.returncode != 0
    assert "no basic auth credentials" in done.stderr


@pytest.fixture(scope="module")
def mallory(site: Site) -> Iterator[User]:
    """A user with a server."""
    with user(site, "mallory") as mallory:
        mallory.start(image="base", size="small")
        yield mallory


UPLOAD = "/v2/notehive/hub/blobs/uploads/"


def test_a_users_container_cannot_push(site: Site, mallory: User) -> None:
    """Neither by the registry's name, nor by its port on the node, nor by the forwarder."""
    port = site.settings["network"]["registry_port"]
    gateway = site.exec(
        mallory.service,
        *("python3", "-c"),
        "print(next(l.split()[2] for l in open('/proc/net/route') if l.split()[1] == '00000000'))",
    )
    address = ".".join(str(int(gateway[i : i + 2], 16)) for i in (6, 4, 2, 0))
    for host in (
        f"{address}:{port + 1}",
        f"{address}:{port}",
        f"127.0.0.1:{port}",
        "registry:5000",
    ):
        said = site.exec(
            mallory.service,
            *("curl", "--silent", "--max-time", "5", "--output", "/dev/null"),
            *("--write-out", "%{http_code}", "--request", "POST", f"http://{host}{UPLOAD}"),
            check=False,
        )
        assert said in ("000", "401", "403"), f"{host}: {said}"


def test_a_users_container_cannot_reach_what_holds_data(site: Site, mallory: User) -> None:
    """By name: postgres, mlflow, the gate and the registry are on other networks."""
    for name in ("postgres", "mlflow", "gate", "registry"):
        said = site.exec(
            mallory.service,
            *("python3", "-c", f"import socket; print(socket.gethostbyname('{name}'))"),
            check=False,
        )
        assert said == "", name


def test_mlflow_is_reached_from_a_server_with_nothing_configured(site: Site, mallory: User) -> None:
    code = (
        "import mlflow; mlflow.set_experiment('from-a-server')\n"
        "with mlflow.start_run() as run:\n"
        "    mlflow.log_metric('m', 1.5); mlflow.log_text('hi', 'a.txt')\n"
        "print('id', run.info.run_id)"
    )
    entry = "/usr/local/bin/docker-entrypoint"
    said = site.exec(mallory.service, entry, "python3", "-c", code)
    run_id = said.rpartition("id ")[2].strip()
    assert f"{site.url}/mlflow/#/experiments/" in said
    answer = fetch(
        site,
        f"/mlflow/api/2.0/mlflow/runs/get?run_id={run_id}",
        headers={"Authorization": f"Bearer {mallory.token}"},
    )
    run_data = json.loads(answer.body)["run"]
    assert run_data["data"]["metrics"][0]["value"] == 1.5
