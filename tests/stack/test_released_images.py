"""A group's release of an image: on the form of its members, and started as what it is."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.stack.test_guard import V, ask
from tests.support.bodies import CONTAINER, spoiled
from tests.support.hub import Browser, User, user
from tests.support.releases import put, remove
from tests.support.site import Site, docker, run
from tests.support.workshop import Workshop

KEY = "lab/geo"
MODEL = "name: geo\nkind: image\nimage: base\ntitle: {title}\n"


@pytest.fixture(scope="module")
def workshop(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    workshop = Workshop(site, tmp_path_factory.mktemp("repositories"))
    yield workshop
    remove(site)
    workshop.remove_images()


@pytest.fixture(scope="module")
def people(site: Site) -> Iterator[dict[str, User]]:
    """Users by their roles."""
    options = {"member": ("--group", "lab"), "other": ("--group", "guild"), "admin": ("--admin",)}
    with ExitStack() as stack:
        yield {
            role: stack.enter_context(user(site, f"{role}-geo", *each))
            for role, each in options.items()
        }


def released(workshop: Workshop, title: str) -> str:
    """Build, push and publish an image with a title; give it by its digest."""
    commit = workshop.commit("geo", {"model.yml": MODEL.format(title=title)})
    workshop.make("build", "geo", commit)
    digest = workshop.make("push", "geo", commit).result["digest"]
    return put(workshop.site, commit=commit, digest=digest, title=title)


@pytest.fixture(scope="module")
def image(workshop: Workshop) -> str:
    return released(workshop, "Geography")


def form(someone: User) -> str:
    return Browser(someone).ask("GET", f"/hub/spawn/{someone.name}").body.decode()


def service(someone: User) -> dict[str, Any]:
    """Give the spec of the Swarm service of a user's server."""
    (found,) = json.loads(docker("service", "inspect", someone.service))
    spec: dict[str, Any] = found["Spec"]
    return spec


def image_of(someone: User) -> str:
    return str(service(someone)["TaskTemplate"]["ContainerSpec"]["Image"])


def test_it_is_on_the_forms_of_its_group_and_of_administrators(
    people: dict[str, User], image: str
) -> None:
    for role in ("member", "admin"):
        shown = form(people[role])
        assert "Geography" in shown
        assert f"{KEY}, built on Base" in shown
        assert "Released 21 Nov 2026 by ana" in shown
    assert "Geography" not in form(people["other"])


def test_nobody_else_starts_it(people: dict[str, User], image: str) -> None:
    other = people["other"]
    for wish in ({"image": KEY}, {"image": image}):
        answer = other.call("POST", f"/users/{other.name}/server", wish)
        assert answer.status == 400
        assert b"There is no image" in answer.body
    # Nor does a member by any other name than its key.
    member = people["member"]
    answer = member.call("POST", f"/users/{member.name}/server", {"image": image})
    assert answer.status == 400


@pytest.fixture(scope="module")
def mia(people: dict[str, User], image: str) -> User:
    """A member with a server of the first release."""
    people["member"].start(image=KEY, size="small")
    return people["member"]


def test_it_runs_as_a_server_does(site: Site, mia: User, image: str) -> None:
    assert image_of(mia) == image
    assert "Running: Geography" in Browser(mia).ask("GET", "/hub/home").body.decode()
    told = docker("inspect", "--format", "{{json .Path}}", site.container(mia.service))
    assert json.loads(told) in ("/usr/local/bin/walled", "/sbin/docker-init")


def test_the_current_release_counts_for_the_guard_and_for_starts(
    site: Site, workshop: Workshop, mia: User, image: str
) -> None:
    body = service(mia)
    # What the engine has added, and the name of the network, of which it made an id.
    for added in ("UpdateConfig", "RollbackConfig"):
        body.pop(added, None)
    for added in ("DNSConfig", "Isolation"):
        body["TaskTemplate"]["ContainerSpec"].pop(added, None)
    body["TaskTemplate"]["Networks"] = [{"Target": f"{site.name}_users"}]

    def asked(reference: str) -> tuple[int, str]:
        made = spoiled(body, (*CONTAINER, "Image"), reference)
        ((status, data),) = ask(site, ("POST", f"{V}/services/create", made))
        return status, data["message"]

    assert asked(image)[0] == 409, "it is let through to the engine, which has one of that name"
    path, _, digest = image.partition("@")
    for made_up in (f"{path}@sha256:{'0' * 64}", f"{path}:latest", path, f"{path}s@{digest}"):
        status, said = asked(made_up)
        assert status == 403
        assert "is none that this service may run" in said

    newer = released(workshop, "Maps")
    assert newer != image
    assert asked(image)[0] == 403
    assert asked(newer)[0] == 409
    # The server that runs keeps what it has.
    assert image_of(mia) == image
    assert (mia.server() or {})["ready"]
    mia.stop()
    assert "Maps" in form(mia)
    mia.start(image=KEY, size="small")
    assert image_of(mia) == newer


def test_a_broken_release_is_left_out(site: Site, people: dict[str, User], image: str) -> None:
    put(site, name="broken", told={"image": "docker.io/library/debian:trixie"})
    try:
        shown = form(people["admin"])
        assert KEY in shown
        assert "lab/broken" not in shown
        logs = run("docker", "logs", "--tail=500", site.container("hub"))
        assert "lab/broken: left out" in logs.stdout + logs.stderr
    finally:
        remove(site, name="broken")
