"""Old releases go from the disk and the registry, and what is left can be pulled."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import pytest

from tests.support.releases import put, remove
from tests.support.site import Site, changed, docker, run, wait_for
from tests.support.workshop import Workshop

MIB = 1 << 20
# Names of the run's own: what an earlier one left is not taken for it.
OLD, OTHER, BUSY = (f"{each}-{uuid4().hex[:8]}" for each in ("old", "other", "busy"))
COLLECT = """
from pathlib import Path
from notehive.builder.client import ask
token = Path("/run/secrets/builder-token").read_text().strip()
print(list(ask("collections", {}, token, "localhost"))[-1])
"""
TAGS = """
import asyncio, json, sys
from notehive.builder.registry import PASSWORD, Registry
registry = Registry(PASSWORD.read_text().strip())
print(json.dumps(asyncio.run(registry.tags(sys.argv[1]))))
"""
BLOBS = "/var/lib/notehive-registry/docker/registry/v2/blobs"


@dataclass(frozen=True)
class Release:
    """One that was built, pushed and published."""

    commit: str
    image: str  # by its digest


@pytest.fixture(scope="module")
def workshop(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    workshop = Workshop(site, tmp_path_factory.mktemp("repositories"))
    yield workshop
    for name in (OLD, OTHER):
        remove(site, name=name)
    workshop.remove_images()


def release(workshop: Workshop, name: str, number: int) -> Release:
    """Release a commit with a file of its own, of 4 MiB that cannot be compressed much."""
    noise = "".join(f"{number}-{line}-{hash((number, line))}\n" for line in range(150_000))
    commit = workshop.commit(name, {"data.txt": noise})
    workshop.make("build", name, commit)
    digest = workshop.make("push", name, commit).result["digest"]
    told = {"published_at": f"2026-11-1{number}T00:00:00+00:00"}
    image = put(workshop.site, name=name, commit=commit, digest=digest, kind="model", told=told)
    return Release(commit, image)


def tags(site: Site, name: str) -> set[str]:
    """Give the tags that the registry has of a model, by its API."""
    return set(json.loads(site.exec("builder", "python3", "-c", TAGS, f"models/lab/{name}")))


def blobs(site: Site) -> int:
    """Give the bytes that the registry's volume has of images."""
    return int(site.exec("registry", "du", "--summarize", "--bytes", BLOBS).split()[0])


def published(site: Site, name: str) -> set[str]:
    return set(site.exec("api", "ls", f"/srv/models/lab/{name}/releases").split())


def can_be_pulled(image: str) -> bool:
    """Whether the registry has it: the engine forgets it before."""
    if found := docker("inspect", "--format", "{{.Id}}", image, check=False):
        docker("rmi", "--force", found)
    return run("docker", "pull", "--quiet", image, check=False).returncode == 0


def here(commit: str) -> list[str]:
    """Give the images of a commit that the engine has."""
    return docker("images", "--quiet", "--filter", f"label=notehive.commit={commit}").split()


def test_so_many_releases_stay_as_the_settings_say(site: Site, workshop: Workshop) -> None:
    old = [release(workshop, OLD, number) for number in (1, 2, 3)]
    other = release(workshop, OTHER, 1)
    assert tags(site, OLD) == {each.commit for each in old}
    before = blobs(site)
    with changed(site, retention={"releases": 1, "days": 0}):
        wait_for("the end of two releases", lambda: tags(site, OLD) == {old[2].commit})
        wait_for("room on the disk", lambda: blobs(site) < before - 2 * MIB)
        assert published(site, OLD) == {old[2].commit}
        assert published(site, OTHER) == tags(site, OTHER) == {other.commit}
        for gone in old[:2]:
            assert here(gone.commit) == []
            assert not can_be_pulled(gone.image)
        for stays in (old[2], other):
            assert can_be_pulled(stays.image)
            said = docker("run", "--rm", "--network=none", stays.image, "wc", "--lines", "data.txt")
            assert said.startswith("150000 ")
        # What was removed can come again, whole.
        assert workshop.make("build", OLD, old[0].commit).result["reused"] is False
        assert can_be_pulled(workshop.make("push", OLD, old[0].commit).result["image"])


def test_nothing_is_pushed_while_the_disk_is_freed(site: Site, workshop: Workshop) -> None:
    """While collections follow each other, all of what is pushed gets there and stays."""
    commits = [workshop.commit(BUSY, {"a.py": f"a = {number}\n"}) for number in range(3)]
    for commit in commits:
        workshop.make("build", BUSY, commit)
    with ThreadPoolExecutor() as pool:
        pushes = [pool.submit(workshop.make, "push", BUSY, commit) for commit in commits]
        said = [site.exec("builder", "python3", "-c", COLLECT)]
        while not all(push.done() for push in pushes):
            said.append(site.exec("builder", "python3", "-c", COLLECT))
    assert all("result" in each for each in said)
    for push in pushes:
        assert can_be_pulled(push.result().result["image"])
