"""A site with Airflow, and releases on it that nobody has pushed."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from notehive.jobs.service import Begun, Size
from notehive.models import project
from tests.support import jobs, releases
from tests.support.projects import write
from tests.support.site import KEEP, Site, brought_up, docker

NAME = "bench-factory"
GROUP = "lab"
SETTINGS: dict[str, Any] = {
    "name": NAME,
    "url": f"http://{NAME}.localhost:18292",
    "network": {"users": "10.92.0.0/16", "registry_port": 15214},
    "images": {"base": {"title": "Base"}},
    # As of the product, but that a hundred jobs have room on a small machine.
    "sizes": {
        "small": {
            "limit": {"cpu": 1, "memory": "2G"},
            "guarantee": {"cpu": 0.01, "memory": "32M"},
        }
    },
    "groups": {GROUP: {}},
    "services": {"airflow": True, "jenkins": "off"},
}
SIZE = Size("small", 1, 2 * 2**30, 1000)
DOCKERFILE = """\
FROM {image}
COPY project /opt/model
WORKDIR /opt/model
"""


@contextmanager
def factory() -> Iterator[Site]:
    """A site that is up, and gone with all that it made afterwards.

    NOTEHIVE_TEST_KEEP leaves it up, as those of the tests: for work on a benchmark.
    """
    try:
        with (
            tempfile.TemporaryDirectory() as directory,
            brought_up(Path(directory), SETTINGS) as site,
        ):
            yield site
    finally:
        if not KEEP:
            remove_images()  # now that no service runs them


def build(site: Site, model: str, files: Mapping[str, str]) -> Begun:
    """Build and push the image of a model: its files, on the notebook image."""
    port = site.settings["network"]["registry_port"]
    reference = f"127.0.0.1:{port}/models/{GROUP}/{model}:bench"
    with tempfile.TemporaryDirectory() as directory:
        dockerfile = DOCKERFILE.format(image=site.image("notebooks-base"))
        root = write(Path(directory), {"Dockerfile": dockerfile})
        write(root / "project", files)
        site.docker("build", "--quiet", "--tag", reference, str(root))
        return jobs.pushed(site, reference)


def publish(root: Path, model: str, text: str, begun: Begun) -> None:
    """Publish a release below a directory: its model.yml, and what it is begun with."""
    found, problems = project.parse(text)
    if found is None:
        raise RuntimeError(f"{model}: {problems[0]}")
    size = {"cpu": SIZE.cpu, "memory": SIZE.memory, "pids": SIZE.pids}
    told = {"image": begun.image, "size": size, "model": project.to_json(found)}
    releases.publish(root, GROUP, model, commit=begun.commit, told=told)


def remove_images() -> None:
    """Remove the images of models."""
    port = SETTINGS["network"]["registry_port"]
    listed = docker("images", "--format", "{{.Repository}} {{.ID}}").splitlines()
    ours = {row.split()[1] for row in listed if row.startswith(f"127.0.0.1:{port}/models/")}
    for image in ours:
        docker("rmi", "--force", image, check=False)
