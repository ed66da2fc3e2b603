"""The builder of a site, asked as a release asks it."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.repository import Repository
from tests.support.site import Site, docker, run

MODEL = "name: {name}\nimage: base\n"


@dataclass(frozen=True)
class Answer:
    """What the builder said."""

    code: int
    log: str
    result: dict[str, Any]

    @property
    def last(self) -> str:
        """The last line."""
        return self.log.splitlines()[-1]


class Workshop:
    """The builder of a site, and repositories of models, made in a directory."""

    def __init__(self, site: Site, directory: Path) -> None:
        self.site, self.directory = site, directory
        self.image = docker("inspect", "--format", "{{.Config.Image}}", site.container("builder"))
        self._repositories: dict[str, Repository] = {}

    def commit(self, name: str, files: Mapping[str, str]) -> str:
        """Commit files to the model `lab/NAME`, as if they had been pushed; give the commit."""
        place = self.directory / name
        if name not in self._repositories:
            self._repositories[name] = Repository(place, f"lab/{name}")
        repository = self._repositories[name]
        repository.write({"model.yml": MODEL.format(name=name), **files})
        commit = repository.commit()
        tar = ["tar", "-c", "-C", str(place), f"lab/{name}.git"]
        subprocess.run(
            ["/usr/bin/docker", "run", "--rm", "--interactive", "--user=999:999", "--network=none",
             f"--volume={self.site.name}_git:/srv/git", self.image, "tar", "-x", "-C", "/srv/git"],
            input=subprocess.run(tar, check=True, capture_output=True).stdout, check=True,
        )  # fmt: skip
        return commit

    def ask(self, what: str, name: str, commit: str, *options: str, seconds: int = 1200) -> Answer:
        """Ask the builder; a client that takes longer goes away."""
        client = ("timeout", str(seconds), "python3", "-m", "notehive.builder.client")
        told = (*client, "--host=localhost", what, "lab", name, commit, *options)
        done = run("/usr/bin/docker", "exec", self.site.container("builder"), *told, check=False)
        return Answer(done.returncode, done.stderr, json.loads(done.stdout or "{}"))

    def make(self, what: str, name: str, commit: str, *options: str) -> Answer:
        """Ask for what must succeed."""
        answer = self.ask(what, name, commit, *options)
        assert answer.code == 0, answer.log
        return answer

    def gathering(self) -> list[str]:
        """Containers in which packages are fetched."""
        name = f"name=^{self.site.name}-gather-"
        return docker("ps", "--all", "--quiet", "--filter", name).split()

    def remove_images(self) -> None:
        """Remove what the builder has made."""
        labels = f"label=notehive.builder={self.site.name}"
        for image in docker("images", "--quiet", "--filter", labels).split():
            docker("rmi", "--force", image, check=False)
