"""Commits become images in the registry, and their packages' code reaches nothing."""

import json
import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from notehive.builder import commands
from tests.support import probe, scan
from tests.support.index import Index, serving
from tests.support.site import Site, changed, docker, wait_for
from tests.support.workshop import Workshop

pytestmark = pytest.mark.changes_site


@pytest.fixture(scope="module")
def served(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Workshop, Index]]:
    directory = tmp_path_factory.mktemp("builder")
    (directory / "index").mkdir()
    (directory / "repositories").mkdir()
    with serving(directory / "index") as (index, url), changed(site, mirrors={"pypi": url}):
        workshop = Workshop(site, directory / "repositories")
        yield workshop, index
        assert workshop.gathering() == []
        workshop.remove_images()


@pytest.fixture(scope="module")
def workshop(served: tuple[Workshop, Index]) -> Workshop:
    return served[0]


@pytest.fixture(scope="module")
def index(served: tuple[Workshop, Index]) -> Index:
    """The package index of the site."""
    return served[1]


def layers(image: str) -> list[str]:
    return list(json.loads(docker("inspect", "--format", "{{json .RootFS.Layers}}", image)))


def label(image: str, key: str) -> str:
    return docker("inspect", "--format", f'{{{{index .Config.Labels "{key}"}}}}', image)


def in_image(image: str, *command: str) -> str:
    return docker("run", "--rm", "--network=none", image, *command)


TRAIN = {"train.py": "import notehive_tiny\nprint(notehive_tiny.answer)\n",
         "requirements.txt": "notehive-tiny==1.0\nnotehive-source\n"}  # fmt: skip


@pytest.fixture(scope="module")
def built(workshop: Workshop, index: Index) -> tuple[str, str]:
    """A commit of the model lab/churn, and the name of its image."""
    index.add_wheel("notehive-tiny", "1.0")
    index.add_source("notehive-source")
    commit = workshop.commit("churn", TRAIN)
    answer = workshop.make("build", "churn", commit)
    assert answer.result["reused"] is False
    return commit, str(answer.result["image"])


def test_a_commit_becomes_an_image_that_every_node_can_run(
    site: Site, workshop: Workshop, built: tuple[str, str]
) -> None:
    commit, image = built
    port = site.settings["network"]["registry_port"]
    assert image == f"127.0.0.1:{port}/models/lab/churn:{commit}"
    pushed = workshop.make("push", "churn", commit).result
    assert re.fullmatch(rf"127\.0\.0\.1:{port}/models/lab/churn@sha256:[0-9a-f]{{64}}",
                        pushed["image"])  # fmt: skip
    assert pushed["image"].endswith(pushed["digest"])
    docker("pull", "--quiet", pushed["image"])
    assert in_image(pushed["image"], "python3", "train.py") == "42"
    assert in_image(pushed["image"], "python3", "-c", "import notehive_source as n; print(n)")
    seen = in_image(
        pushed["image"], "sh", "-c", "id -un; pwd; stat -c '%U %a %n' *; touch x 2>&1; ls /srv /run"
    ).splitlines()
    assert seen[:2] == ["jovyan", "/opt/model"]
    assert {"root 644 train.py", "root 644 model.yml", "root 755 __pycache__"} <= set(seen)
    assert "touch: cannot touch 'x': Permission denied" in seen
    told = {key: label(image, f"notehive.{key}") for key in ("group", "model", "commit")}
    assert told == {"group": "lab", "model": "churn", "commit": commit}
    base = site.image("notebooks-base")
    assert label(image, "org.opencontainers.image.base.digest") == docker(
        "inspect", "--format", "{{.Id}}", base
    )
    assert layers(image)[: len(layers(base))] == layers(base)


def test_the_same_again_is_not_made_again(workshop: Workshop, built: tuple[str, str]) -> None:
    commit, image = built
    workshop.make("push", "churn", commit)
    again = workshop.make("build", "churn", commit)
    assert again.result["reused"] is True
    assert again.log.splitlines() == ["the image is there, from an earlier build"]
    pushed = workshop.make("push", "churn", commit)
    assert pushed.result["reused"] is True
    assert pushed.log.splitlines() == ["the registry has it"]
    # An engine that has lost it has the registry's word.
    docker("rmi", image, pushed.result["image"], check=False)
    assert workshop.make("push", "churn", commit).result == pushed.result


def test_a_change_of_code_builds_on_the_same_dependencies(
    workshop: Workshop, built: tuple[str, str]
) -> None:
    before = workshop.make("build", "churn", built[0]).result["image"]
    commit = workshop.commit("churn", {**TRAIN, "train.py": "print('changed')\n"})
    answer = workshop.make("build", "churn", commit)
    assert "dependencies: are there, from an earlier build" in answer.log
    assert "Collecting" not in answer.log
    image = answer.result["image"]
    # The last one is empty: the working directory.
    assert layers(image)[:-2] == layers(before)[:-2]
    assert layers(image)[-2] != layers(before)[-2]
    assert in_image(image, "python3", "train.py") == "changed"
    # Made anew, a layer of the same files is the same.
    was = layers(image)
    fresh = workshop.make("build", "churn", commit, "--fresh")
    assert fresh.result["reused"] is False
    assert "Collecting notehive-tiny" in fresh.log
    assert layers(image)[-2:] == was[-2:]


def test_what_the_image_has_is_not_changed_by_the_way(workshop: Workshop, index: Index) -> None:
    """By a package that wants another version; what the project itself names may be another."""
    index.add_wheel("papermill", "0.0.1")
    index.add_wheel("notehive-greedy", "1.0", requires="papermill==0.0.1")
    commit = workshop.commit("greedy", {"requirements.txt": "notehive-greedy\n"})
    answer = workshop.ask("build", "greedy", commit)
    assert answer.code == 2
    assert answer.last.startswith(
        "the dependencies cannot be had: notehive-greedy 1.0 depends on papermill==0.0.1, "
        "but the notebook image has papermill=="
    )
    commit = workshop.commit("greedy", {"requirements.txt": "notehive-greedy\npapermill<0.1\n"})
    image = workshop.make("build", "greedy", commit).result["image"]
    version = "import importlib.metadata as m; print(m.version('papermill'))"
    assert in_image(image, "python3", "-c", version) == "0.0.1"


def test_a_requirement_that_does_not_exist(workshop: Workshop) -> None:
    commit = workshop.commit("wrong", {"requirements.txt": "notehive-no-such-thing==1.0\n"})
    answer = workshop.ask("build", "wrong", commit)
    assert answer.code == 2
    assert answer.last == (
        "the dependencies cannot be had: "
        "No matching distribution found for notehive-no-such-thing==1.0"
    )
    assert "Looking in indexes" in answer.log
    assert workshop.ask("push", "wrong", commit).code == 2
    assert not docker("images", "--quiet", "*/models/lab/wrong")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"model.yml": "name: bad\nimage: none\n"}, "model.yml: image: none: there is none"),
        ({"model.yml": "name: other\nimage: base\n"}, "model.yml: name: other: should be"),
        ({"requirements.txt": "--index-url http://x/\n"}, "options are not taken"),
    ],
)
def test_a_bad_project(workshop: Workshop, files: dict[str, str], said: str) -> None:
    answer = workshop.ask("build", "bad", workshop.commit("bad", files))
    assert answer.code == 2
    assert said in answer.last
    assert workshop.ask("build", "none", "0" * 40).last == "lab/none: no such repository"


def test_two_at_once(workshop: Workshop) -> None:
    """The same commit is built once, for both; another one of the repository waits."""
    first = workshop.commit("twice", {"a.py": "a = 1\n"})
    second = workshop.commit("twice", {"a.py": "a = 2\n"})
    with ThreadPoolExecutor() as pool:
        asked = [
            pool.submit(workshop.make, "build", "twice", each) for each in (first, first, second)
        ]
        one, same, other = (each.result() for each in asked)
    assert one.result["image"] == same.result["image"] != other.result["image"]
    assert one.log == same.log or same.result["reused"] or one.result["reused"]
    assert in_image(other.result["image"], "python3", "-c", "import a; print(a.a)") == "2"


def test_a_client_that_goes_away_ends_its_build(workshop: Workshop, index: Index) -> None:
    index.add_source("notehive-slow", "import time; time.sleep(600)")
    commit = workshop.commit("slow", {"requirements.txt": "notehive-slow\n"})
    asking = threading.Thread(target=workshop.ask, args=("build", "slow", commit), kwargs={
        "seconds": 20})  # fmt: skip
    asking.start()
    wait_for("the build", workshop.gathering)
    asking.join()
    wait_for("its end", lambda: not workshop.gathering())
    assert not docker("images", "--quiet", "*/models/lab/slow")


def test_a_registry_that_is_down(site: Site, workshop: Workshop) -> None:
    commit = workshop.commit("later", {"a.py": "a = 1\n"})
    image = workshop.make("build", "later", commit).result["image"]
    scale = ("service", "scale", "--detach=false")
    docker(*scale, f"{site.name}_registry=0")
    try:
        answer = workshop.ask("push", "later", commit)
    finally:
        docker(*scale, f"{site.name}_registry=1")
    assert answer.code == 1
    assert answer.last.startswith("registry: ")
    assert docker("images", "--quiet", image), "it is kept"
    wait_for("the registry", lambda: workshop.ask("push", "later", commit).code == 0)


def test_a_notebook_image(site: Site, workshop: Workshop, index: Index) -> None:
    """It still starts as a notebook server, as the image does that it is built on."""
    index.add_wheel("notehive-tiny", "1.0")
    commit = workshop.commit(
        "viz",
        {
            "model.yml": "name: viz\nimage: base\nkind: image\npackages: [hello]\n",
            "requirements.txt": "notehive-tiny\n",
        },
    )
    image = workshop.make("build", "viz", commit).result["image"]
    assert in_image(image, "hello") == "Hello, world!"
    assert in_image(image, "python3", "-c", "import notehive_tiny as n; print(n.answer)") == "42"
    form = (
        "{{json .Config.Entrypoint}} {{json .Config.Cmd}} {{.Config.User}} {{.Config.WorkingDir}}"
    )
    base = site.image("notebooks-base")
    assert docker("inspect", "--format", form, image) == docker("inspect", "--format", form, base)
    server = docker("run", "--detach", "--network=none", image)
    try:
        asked = ("curl", "--fail", "--silent", "localhost:8888/api")
        wait_for("JupyterLab", lambda: docker("exec", server, *asked, check=False))
    finally:
        docker("rm", "--force", server)


# Walls


def test_code_of_a_package_that_is_built_reaches_nothing(
    site: Site, workshop: Workshop, index: Index
) -> None:
    """Not the engine, the node, the platform, other containers, the outside; no secret."""
    services = ("nginx", "hub", "postgres", "mlflow", "registry", "guard", "builder")
    networks = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
    there = {
        address
        for each in services
        for address in docker("inspect", "--format", networks, site.container(each)).split()
    }
    hosts = sorted(
        {*there, *scan.of_node(), *scan.on_bridge(site), *services, "172.17.0.1", "127.0.0.1",
         "169.254.169.254", "198.51.100.1"}
        - {host for host in scan.of_node() if ":" in host}
    )  # fmt: skip
    own = site.settings["network"]["registry_port"]
    ports = (22, 80, 443, 2375, 2377, 5000, 5432, 7946, 8081, 8092, own, own + 1, site.port)
    requests = (
        "GET /http/registry:5000/v2/",
        "GET /http/172.17.0.1:2375/version",
        "GET /http/169.254.169.254/latest/meta-data/",
        "GET /http/localhost:8092/health",
        "CONNECT registry:5000",
        "GET http://registry:5000/v2/",
        "POST /builds",
    )
    index.add_source(
        "notehive-probe", probe.program([(h, p) for h in hosts for p in ports], requests)
    )
    commit = workshop.commit("probe", {"requirements.txt": "notehive-probe\n"})
    answer = workshop.ask("build", "probe", commit)
    assert answer.code == 2, answer.log
    facts, seen = probe.report(answer.log)
    assert facts.pop("answers") == dict.fromkeys(requests, "403")
    assert facts.pop("secrets") == len(seen)
    assert facts == {
        "uid": 1000,
        "opened": [],
        "sockets": ["/run/notehive-door/socket"],
        "CapEff": "0" * 16,
        "CapBnd": "0" * 16,
        "NoNewPrivs": "1",
        "links": ["lo"],
        "known": [probe.PLANTED],
    }
    for service, name in (
        ("builder", "registry-password"),
        ("builder", "builder-token"),
        ("hub", "postgres-hub"),
    ):
        secret = site.exec(service, "cat", f"/run/secrets/{name}").rpartition(":")[2]
        assert len(secret) == 64
        assert secret not in seen
        assert secret not in answer.log


def test_a_step_of_a_build_has_no_network(site: Site) -> None:
    """Even if a package's own script, which Debian's may have, looks for one."""
    directory = Path(f"/var/lib/notehive-builder/work/test-{os.getpid()}")
    file, image = directory / "Dockerfile", f"notehive/test-steps:{os.getpid()}"
    text = (
        f"FROM {site.image('notebooks-base')}\nUSER root\n"
        "RUN cat /proc/net/dev > /links; find / -xdev -type s > /sockets; "
        "env > /env; cat /proc/mounts > /mounts\n"
    )
    site.exec("builder", "mkdir", "--parents", f"{directory}/context")
    site.exec("builder", "sh", "-c", f'echo "$0" > {file}', text)
    try:
        command = commands.build(image, directory / "context", file, {}, fresh=True)
        site.exec("builder", "docker", *command[1:])
        names = ("links", "sockets", "env", "mounts")
        seen = {name: in_image(image, "cat", f"/{name}") for name in names}
    finally:
        site.exec("builder", "rm", "--recursive", str(directory))
        docker("rmi", "--force", image, check=False)
    assert re.findall(r"^ *(\S+):", seen["links"], re.M) == ["lo"]
    assert seen["sockets"] == ""
    assert "docker.sock" not in seen["mounts"]
    assert not re.search("[0-9a-f]{64}", seen["env"])


def test_a_package_cannot_take_the_place_of_what_waits_for_walls(
    site: Site, workshop: Workshop, index: Index
) -> None:
    files = {f"bin/{name}": "#!/bin/sh\nexec $*\n" for name in ("walled", "docker-entrypoint")}
    index.add_wheel(
        "notehive-usurper", "1.0", more={**files, "bin/notehive-usurper": "it is there"}
    )
    commit = workshop.commit("usurper", {"requirements.txt": "notehive-usurper\n"})
    image = workshop.make("build", "usurper", commit).result["image"]
    assert in_image(image, "cat", "/usr/local/bin/notehive-usurper") == "it is there"
    places = [f"/usr/local/{name}" for name in files]
    base = site.image("notebooks-base")
    assert in_image(image, "sha256sum", *places) == in_image(base, "sha256sum", *places)
    assert in_image(image, "stat", "-c", "%a %U", *places).split() == ["755", "root"] * 2


def test_nobody_else_builds_or_pushes(site: Site) -> None:
    """The builder is in no network with users' code, has no port, and asks for a token."""
    form = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
    networks = set(docker("inspect", "--format", form, site.container("builder")).split())
    assert networks == {f"{site.name}_builder", f"{site.name}_registry"}
    assert docker("port", site.container("builder")) == ""
    for path in ("builds", "pushes"):
        asked = ("curl", "--silent", "--request", "POST", "--output", "/dev/null", "--write-out",
                 "%{http_code}", "--data", "{}", f"http://builder:8092/{path}")  # fmt: skip
        assert site.exec("builder", *asked) == "401"
        # By the registry's network, where the builder is as well.
        assert site.exec("registry", *asked) == "401"
