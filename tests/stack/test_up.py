"""`up` again, with changes, with mistakes and with interruptions."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from tests.support.site import ROOT, Site, changed, docker, run, wait_for


def test_a_second_up_restarts_nothing(site: Site) -> None:
    before = site.tasks()
    output = site.up()
    assert site.tasks() == before
    assert "Administrator:" not in output  # the password is shown once


def test_a_changed_setting_restarts_only_what_it_touches(site: Site) -> None:
    before = site.tasks()
    tiny = {"limit": {"cpu": 0.5, "memory": "512M"}}
    with changed(site, sizes={**site.settings["sizes"], "tiny": tiny}):
        after = site.tasks()
        restarted = {before[task] for task in before.keys() - after.keys()}
        # The guards and the API go by the hub's configuration; the builder tries images in a size.
        named = ("api", "builder", "guard", "guard-metrics", "hub")
        assert restarted == {f"{site.name}_{name}" for name in named}
        configs = docker("config", "ls", "--quiet", "--filter", f"label=notehive.stack={site.name}")
        # The hub's, the gate's, the walls', the builder's, and two old ones, which go with their
        # last tasks, at the next `up`.
        assert len(configs.split()) <= 6


BAD = [
    ("nmae: x", ":1: nmae: unknown key; did you mean name?"),
    ("name: [", "not YAML"),
    (
        "sizes: {small: {limit: {cpu: 1, memory: 4Q}}}",
        "sizes.small.limit.memory: '4Q' is not an amount",
    ),
    ("admins: 3", "admins: "),
    ("groups: {a: {images: [nope]}}", "'nope' is not defined in images:"),
    ("groups: {a: {sizes: [nope]}}", "'nope' is not defined in sizes:"),
    ("ca_bundle: /does/not/exist", "ca_bundle: /does/not/exist: No such file"),
    ("network: {users: 10.0.0.0/99}", "network.users"),
]


@pytest.mark.parametrize(("text", "said"), BAD)
def test_bad_input_is_one_line_and_changes_nothing(
    site: Site, tmp_path: Path, text: str, said: str
) -> None:
    before = docker("service", "ls", "--quiet"), site.tasks(), docker("network", "ls", "--quiet")
    file = tmp_path / "settings.yml"
    file.write_text(text)
    done = run(str(ROOT / "notehive"), "--settings", str(file), "up", check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stdout + done.stderr
    after = docker("service", "ls", "--quiet"), site.tasks(), docker("network", "ls", "--quiet")
    assert after == before


def test_missing_settings(tmp_path: Path) -> None:
    file = tmp_path / "gone.yml"
    done = run(str(ROOT / "notehive"), "--settings", str(file), "up", check=False)
    assert done.returncode == 2
    assert f"{file}: no such file" in done.stderr


def other_site(site: Site, directory: Path, **changes: object) -> Path:
    """Settings of a site that never comes up."""
    settings = {
        "name": f"{site.name}-other",
        "url": f"http://other.localhost:{site.port + 500}",
        "network": {"users": "10.127.0.0/16", "registry_port": 25000},
        **changes,
    }
    file = directory / "other.yml"
    file.write_text(yaml.safe_dump(settings))
    return file


def test_a_taken_port_is_named_with_its_owner(site: Site, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        file = other_site(site, tmp_path, url=f"http://other.localhost:{port}")
        done = run(str(ROOT / "notehive"), "--settings", str(file), "up", check=False)
    assert done.returncode == 2
    assert f"port {port} is taken by" in done.stderr
    assert f"(process {os.getpid()})" in done.stderr
    assert "url:" in done.stderr


def test_a_port_taken_by_a_container_names_the_container(site: Site, tmp_path: Path) -> None:
    file = other_site(site, tmp_path, url=f"http://other.localhost:{site.port}")
    done = run(str(ROOT / "notehive"), "--settings", str(file), "up", check=False)
    assert done.returncode == 2
    assert f"port {site.port} is taken by the container {site.name}_nginx" in done.stderr


def start_up(site: Site, file: Path | None = None) -> "subprocess.Popen[str]":
    """Start `up` and go on."""
    return subprocess.Popen(
        [str(ROOT / "notehive"), "--settings", str(file or site.file), "up"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_two_at_once(site: Site) -> None:
    first = start_up(site)
    assert first.stdout
    first.stdout.readline()
    first.stdout.readline()  # its first heading: it holds the lock
    second = site.notehive("up", check=False)
    out, err = first.communicate(timeout=120)
    assert first.returncode == 0, out + err
    assert second.returncode == 2
    assert "another command is changing it (process" in second.stderr


LONG = [pytest.param(step, marks=pytest.mark.long) for step in ("Settings", "Swarm", "Network")]


@pytest.mark.parametrize("moment", ["Secrets", "Database", *LONG])
def test_interrupted_at_any_step_it_goes_on(site: Site, moment: str) -> None:
    before = site.tasks()
    process = start_up(site)
    assert process.stdout
    for line in process.stdout:
        if moment in line:
            os.killpg(process.pid, signal.SIGINT)
            break
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; `./notehive up` goes on from here" in err
    assert "Traceback" not in err
    site.up()
    assert site.tasks() == before


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the project to spoil."""
    path = tmp_path / "clone"
    ignore = shutil.ignore_patterns(".git", ".notehive", "*_cache", "__pycache__")
    shutil.copytree(ROOT, path, ignore=ignore)
    return path


def test_a_failed_build_shows_its_end_and_touches_nothing(site: Site, clone: Path) -> None:
    before = site.tasks()
    with (clone / "nginx/Dockerfile").open("a") as file:
        file.write("RUN echo just before the end; exit 7\n")
    done = run(
        *(str(ROOT / ".notehive/venv/bin/python3"), "-m", "notehive.cli"),
        *("--settings", str(site.file), "up"),
        check=False,
        env={"PYTHONPATH": str(clone / "src")},
    )
    assert done.returncode == 2
    assert "just before the end" in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert "nginx/Dockerfile: the build failed" in last
    log = Path(last.rpartition("full log: ")[2])
    assert "just before the end" in log.read_text()
    assert site.tasks() == before


@pytest.mark.long
def test_an_interrupted_build_ends_its_client(site: Site, clone: Path) -> None:
    with (clone / "nginx/Dockerfile").open("a") as file:
        # Another one each time: a build that was once let finish would not be made again.
        file.write(f"RUN echo sleeping {time.time()}; sleep 300\n")
    process = subprocess.Popen(
        [
            *(str(ROOT / ".notehive/venv/bin/python3"), "-m", "notehive.cli"),
            *("--settings", str(site.file), "up"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(clone / "src")},
        start_new_session=True,
    )
    log = clone / f".notehive/stacks/{site.name}/logs/nginx.log"
    wait_for("the build", lambda: log.exists() and "sleeping" in log.read_text(), 180)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    site.up()
