"""A push from a user's server becomes an image, or its pusher reads why not."""

import json
import re
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.support.hub import user
from tests.support.owner import Owner
from tests.support.site import Site, docker

UNCOMMENTED = """
import json
path = "train.ipynb"
notebook = json.load(open(path))
for cell in notebook["cells"]:
    cell["metadata"].pop("tags", None)
json.dump(notebook, open(path, "w"))
"""


FAILING = """
import json
path = "prepare.ipynb"
notebook = json.load(open(path))
notebook["cells"][-1]["source"] = ["raise ValueError(rows)"]
json.dump(notebook, open(path, "w"))
"""


@pytest.fixture(scope="module")
def gina(site: Site) -> Iterator[Owner]:
    with user(site, "gina", "--group", "lab") as gina:
        gina.start(image="base", size="small")
        yield Owner(site, gina)


@pytest.fixture(scope="module")
def model(site: Site, gina: Owner) -> Iterator[str]:
    """A model from the template, whose first push has been released."""
    name = f"m-{uuid4().hex[:10]}"
    gina.does(f"notehive model new {name} --group lab")
    said = gina.does("git push origin main", at=name)
    assert "remote: No problems." in said
    # The image is tried: with a store of MLflow's own, from which `predict` takes what it loads.
    assert re.findall(r"^remote: ((?:train|predict)(?: /|:) .*?) *$", said, re.MULTILINE) == [
        "train / prepare.ipynb",
        "train / validate",
        "train / train.ipynb",
        "train: not tried here: promote",
        "predict / predict.ipynb",
        "predict: not tried here: publish-table, drift, train",
    ]
    assert "train.parquet: 225 rows are as schema.yml says" in said
    assert "2 passed" in said
    assert f"remote: released: {image_of(site, name)}@sha256:" in said
    yield name
    for image in built(name):
        docker("rmi", "--force", image, check=False)


def image_of(site: Site, name: str) -> str:
    """Give the name of a model's image without tag and digest."""
    return f"127.0.0.1:{site.settings['network']['registry_port']}/models/lab/{name}"


def built(name: str) -> list[str]:
    """Give the images that there are of a model, the newest first."""
    return docker("images", "--quiet", "--filter", f"label=notehive.model={name}").split()


def releases(gina: Owner, name: str) -> list[tuple[str, str]]:
    """Give state and image, or error, of a model's releases, as its folder says them."""
    told = json.loads(gina.does("notehive model status --json", at=name))
    return [(each["state"], each.get("image") or each["error"]) for each in told]


def test_the_template_becomes_an_image(site: Site, gina: Owner, model: str) -> None:
    ((state, image),) = releases(gina, model)
    assert state == "released"
    assert image.startswith(f"{image_of(site, model)}@sha256:")
    said = docker("run", "--rm", "--network=none", image, "cat", "model.yml")
    assert f"name: {model}\n" in said
    # As whom it runs, and that it cannot change what was checked.
    said = docker("run", "--rm", "--network=none", image, "sh", "-c", "id -un; touch x 2>&1; :")
    assert said.splitlines() == ["jovyan", "touch: cannot touch 'x': Permission denied"]


def test_a_project_with_a_mistake_is_not_built(gina: Owner, model: str) -> None:
    """Every notebook that is given parameters needs a cell for them."""
    before, images = releases(gina, model), built(model)
    gina.does(f"python3 -c '{UNCOMMENTED}' && git commit -qam 'Tidy up'", at=model)
    said = gina.does("git push origin main", at=model)
    assert "remote: train.ipynb: " in said
    assert "remote: not released: check: see above what is wrong" in said
    assert releases(gina, model)[1:] == before
    assert releases(gina, model)[0][0] == "failed"
    assert built(model) == images
    code, again = gina.shell("notehive model release", at=model)
    assert code == 1
    assert "train.ipynb: " in again


def test_a_mended_project_is_released_again(gina: Owner, model: str) -> None:
    gina.does("git revert --no-edit HEAD && echo >> README.md && git commit -qam Mend", at=model)
    assert "remote: released: " in gina.does("git push origin main", at=model)
    states = [state for state, _ in releases(gina, model)]
    assert states[0] == "released"
    assert len(built(model)) >= 2


def test_a_notebook_that_fails_is_not_released(site: Site, gina: Owner, model: str) -> None:
    before = releases(gina, model)
    gina.does(f"python3 -c '{FAILING}' && git commit -qam Fail", at=model)
    said = gina.does("git push origin main", at=model)
    why = "smoke: prepare.ipynb, cell 4: ValueError: 300"
    assert f"remote: not released: {why}" in said
    assert releases(gina, model) == [("failed", why), *before]
    assert not site.of_kind("smoke")


def test_nobody_else_sees_it(site: Site, model: str) -> None:
    with user(site, "olaf", "--group", "guild") as olaf:
        other = Owner(site, olaf)
        for method, path in (("GET", "/releases"), ("POST", "/releases")):
            answer = other.ask(method, f"/notehive-api/models/lab/{model}{path}")
            assert answer.status == 404, path
