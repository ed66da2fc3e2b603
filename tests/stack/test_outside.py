"""Repositories from outside: what is pushed there is released here, and its server hears of it.

Git is a real one, at an address of this machine. The API that commit statuses are told is a
stand-in, and nobody but this test sends webhooks: signed as GitLab does.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from notehive.outside.config import OutsideConfig
from notehive.platform import machine
from tests.support.factory import remove_images
from tests.support.git_host import SECRET, STATUS_TOKEN, TOKEN, USER, GitHost
from tests.support.hub import User, user
from tests.support.projects import cell, notebook
from tests.support.site import Answer, Site, changed, docker, fetch, run, wait_for

pytestmark = pytest.mark.changes_site

WEBHOOK = "/git-webhook"
MODEL = "name: {name}\nimage: base\nsize: small\npipelines: {{train: {{steps: [train.ipynb]}}}}\n"


@dataclass
class Outside:
    """A server outside with a repository, which is a model of the group `lab` here."""

    site: Site
    host: GitHost
    name: str
    member: User
    first: str = ""  # commit

    @property
    def path(self) -> str:
        return f"/notehive-api/models/lab/{self.name}"

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Ask as a member of the group."""
        headers = {"Authorization": f"Bearer {self.member.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        return fetch(self.site, path, method=method, headers=headers, body=body)

    def release(self, commit: str) -> dict[str, Any]:
        """Wait for the release of a commit to end; give what `model status` would show."""

        def ended() -> Any:
            told = json.loads(self.ask("GET", f"{self.path}/releases").body)
            return next(
                (each for each in told if each["commit"] == commit and each["state"] != "running"),
                None,
            )

        found: dict[str, Any] = wait_for(f"the release of {commit} ends", ended, 600)
        return found

    def send(self, body: bytes, headers: dict[str, str], path: str = WEBHOOK) -> Answer:
        """Send a webhook."""
        return fetch(self.site, path, method="POST", headers=headers, body=body)


@pytest.fixture(scope="module")
def outside(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    directory, name = tmp_path_factory.mktemp("outside"), f"m-{uuid4().hex[:10]}"
    files = {}
    for file, content in (
        ("webhook_secret_file", SECRET),
        ("token_file", TOKEN),
        ("status_token_file", STATUS_TOKEN),
    ):
        files[file] = str(directory / file)
        (directory / file).write_text(f"{content}\n")
    host = GitHost(directory, "gitlab")
    with host.running(machine.address()), user(site, "olga", "--group", "lab") as olga:
        first = host.commit(
            {"model.yml": MODEL.format(name=name), "train.ipynb": notebook(cell("print(1)"))}
        )
        external = {
            "provider": "gitlab",
            "repositories": {f"lab/{name}": host.url},
            "user": USER,
            "ca_file": str(host.authority.file),
            **files,
        }
        with changed(site, git={"kind": "external", "external": external}):
            yield Outside(site, host, name, olga, first)
    remove_images(name)


def test_what_was_there_before_is_released(outside: Outside) -> None:
    told = outside.release(outside.first)
    assert told["state"] == "released", told
    assert told["user"] == outside.host.address.removeprefix("https://")
    wait_for("both statuses are set", lambda: len(outside.host.statuses) == 2)
    path = f"/api/v4/projects/ml%2Fchurn/statuses/{outside.first}"
    assert [(at, body["state"]) for at, body in outside.host.statuses] == [
        (path, "running"),
        (path, "success"),
    ]
    page = outside.host.statuses[0][1]["target_url"].removeprefix(outside.site.url)
    log = outside.ask("GET", page)
    assert log.status == 200 and b"\nreleased: " in log.body


def test_a_push_is_released_and_its_server_told(outside: Outside) -> None:
    host, before = outside.host, len(outside.host.statuses)
    commit = host.commit({"train.ipynb": "no notebook"})
    body = host.told(commit)
    headers = host.signed(body)
    answer = outside.send(body, headers)
    assert (answer.status, answer.body.decode()) == (200, f"lab/{outside.name}: has {commit} now\n")
    told = outside.release(commit)
    assert told["state"] == "failed"
    assert told["error"] == "check: see above what is wrong; nothing is built"
    assert told["user"].startswith("ana@")
    wait_for("both statuses are set", lambda: len(host.statuses) == before + 2)
    last = host.statuses[-1][1]
    assert (last["state"], last["description"]) == ("failed", told["error"])
    assert outside.send(body, headers).status == 409, "a second time"


def test_nothing_but_what_is_signed_is_taken(outside: Outside) -> None:
    host, asked = outside.host, len(outside.host.asked)
    body = host.told(host.commit({"later.txt": "x"}))
    good = host.signed(body)
    login = {"Authorization": f"Bearer {outside.member.token}"}
    # Who the sender says to be, behind the gate, means nothing here.
    forged = {"X-Notehive-User": "ada", "X-Notehive-Admin": "yes", "X-Notehive-Key": "x"}
    unsigned = {"Content-Type": "application/json", "X-Gitlab-Event": "Push Hook"}
    assert outside.send(body, unsigned | login | forged).status == 401
    assert outside.send(body, {**good, "X-Gitlab-Token": "another"}).status == 401
    assert outside.send(host.told("1" * 40, place="ml/other"), good).status == 404
    assert outside.send(b" " * (9 << 20), good).status == 413
    assert fetch(outside.site, WEBHOOK, headers=good).status == 405
    for path in (
        f"{WEBHOOK}/",
        f"{WEBHOOK}?x=1",
        f"/.{WEBHOOK}",
        "/git%2dwebhook",
        "/git-webhooks",
    ):
        assert outside.send(body, good, path).status == 404, path
    for path in ("/git/", "/notehive-api/models", f"/git/lab/{outside.name}.git/info/refs"):
        assert outside.send(body, good, path).status in (401, 403), f"no login for {path}"
    assert len(host.asked) == asked


def test_nobody_pushes_or_makes_repositories_here(outside: Outside) -> None:
    place = f"/git/lab/{outside.name}.git/info/refs"
    assert outside.ask("GET", f"{place}?service=git-upload-pack").status == 200
    refused = outside.ask("GET", f"{place}?service=git-receive-pack")
    assert refused.status == 403 and b"push there" in refused.body
    made = outside.ask("POST", "/notehive-api/models", {"name": "new", "group": "lab"})
    assert made.status == 403 and b"repositories come from " in made.body


def test_no_secret_is_shown(outside: Outside) -> None:
    shown = "".join(docker("service", "inspect", each) for each in outside.site.services())
    for service in ("git", "api"):
        shown += outside.site.docker("logs", outside.site.container(service))
    configs = docker(
        "config", "ls", "--quiet", "--filter", f"label=notehive.stack={outside.site.name}"
    )
    shown += docker("config", "inspect", *configs.split())
    for secret in (SECRET, TOKEN, STATUS_TOKEN):
        assert secret not in shown


SSHD = """
FROM {base}
RUN install-debian git openssh-server
RUN useradd --create-home --shell /usr/bin/git-shell --password '*' git && install -d /run/sshd
COPY --chown=git authorized_keys /home/git/.ssh/authorized_keys
COPY --chown=git churn.git /ml/churn.git
CMD ["/usr/sbin/sshd", "-D", "-e"]
"""
FETCH = """
import asyncio, sys
from notehive.errors import NotehiveError
from notehive.git.repositories import Repositories
from notehive.outside.config import OutsideConfig
from notehive.outside.mirror import Mirror
config = OutsideConfig.model_validate_json(sys.stdin.read())
try:
    print(asyncio.run(Mirror(config, Repositories(), 1 << 20).fetch("lab/churn")))
except NotehiveError as error:
    print(error)
"""


@pytest.fixture
def sshd(outside: Outside, tmp_path: Path) -> Iterator[str]:
    """A container that serves the repository by ssh; ``tmp_path`` has the key for it."""
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key"))
    (tmp_path / "key.pub").rename(tmp_path / "authorized_keys")
    shutil.copytree(outside.host.repository.bare, tmp_path / "churn.git")
    base = outside.site.image("base")
    (tmp_path / "Dockerfile").write_text(SSHD.format(base=base))
    image = docker("build", "--quiet", str(tmp_path))
    container = docker("run", "--detach", image)
    try:
        yield container
    finally:
        docker("rm", "--force", container)
        docker("rmi", image)


def test_by_ssh(outside: Outside, sshd: str, tmp_path: Path) -> None:
    """With the image of the service; the rest of the way is that of https."""
    address = docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", sshd)
    keys = docker("exec", sshd, "cat", "/etc/ssh/ssh_host_ed25519_key.pub")
    os.chown(tmp_path / "key", 999, 999)

    def fetched(known_hosts: str) -> str:
        config = OutsideConfig(
            provider="gitlab",
            repositories={"lab/churn": f"ssh://git@{address}/ml/churn.git"},
            branch="main",
            user="",
            certificates="",
            known_hosts=known_hosts,
        )
        key = f"--volume={tmp_path}/key:/run/secrets/outside-key:ro"
        image = outside.site.image("git")
        command = ("run", "--rm", "--interactive", "--cap-drop=ALL", key, image)
        return docker(*command, "python3", "-c", FETCH, stdin=config.model_dump_json())

    wait_for("sshd listens", lambda: "listening" in run("docker", "logs", sshd).stderr)
    commit = outside.host.repository.git("rev-parse", "HEAD")
    assert fetched(f"{address} {keys}\n") == commit
    refused = fetched(f"{address} {keys.replace('AAAA', 'AAAB', 1)}\n")
    assert refused.startswith("lab/churn: cannot be fetched: ") and "Host key" in refused
