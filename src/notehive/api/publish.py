"""The stage `publish`: from one moment on, a model's pipelines are those of a new release.

Below `ROOT`, ``GROUP/NAME/releases/COMMIT/release.json`` tells of each release; beside it are the
DAGs of the project's own, where its group may write some. Which release counts, the link
``GROUP/NAME/current`` says; it is replaced at once, so that whoever reads finds the old one or the
new one.
"""

import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from notehive.errors import BadInput
from notehive.git.repositories import Repository
from notehive.hub.config import HubConfig
from notehive.jobs.release import ROOT
from notehive.models import project
from notehive.models.project import Project

CURRENT, RELEASES, FILE, DAGS = "current", "releases", "release.json", "dags"
# Airflow looks for DAGs in all folders but these, and goes round in circles with them.
IGNORED = ".airflowignore", f"*/*/{RELEASES}/\n"

Publish = Callable[[Repository, str, str, str], None]  # `Publisher.publish`


@dataclass(frozen=True)
class Publisher:
    """Publishes releases; ``config`` has the sizes that their jobs can have."""

    config: HubConfig
    root: Path = ROOT

    def publish(self, repository: Repository, commit: str, image: str, user: str) -> None:
        """Publish a commit of a repository as this image (by digest). Raises BadInput."""
        found = _project(repository, commit)
        release = {
            "group": repository.group,
            "name": repository.name,
            "commit": commit,
            "image": image,
            "size": self._size(found),
            "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "published_by": user,
            "model": project.to_json(found),
        }
        model = self.root / repository.group / repository.name
        directory = model / RELEASES / commit
        directory.mkdir(parents=True, exist_ok=True)
        _replace(directory / FILE, json.dumps(release, indent=1))
        if self._may_write_dags(repository.group):
            _export(repository, commit, DAGS, directory)
        new = model / f"{CURRENT}.new"
        new.unlink(missing_ok=True)
        new.symlink_to(directory.relative_to(model))
        new.replace(model / CURRENT)

    def settle(self) -> None:
        """Make ready for releases; remove the DAGs of groups that may write none any more."""
        self.root.mkdir(exist_ok=True)
        _replace(self.root / IGNORED[0], IGNORED[1])
        for dags in self.root.glob(f"*/*/{RELEASES}/*/{DAGS}"):
            if not self._may_write_dags(dags.relative_to(self.root).parts[0]):
                shutil.rmtree(dags)

    def _may_write_dags(self, group: str) -> bool:
        return group in self.config.groups and self.config.groups[group].dags

    def _size(self, found: Project) -> dict[str, Any]:
        """Give what jobs may use, should the settings have no size of this name any more."""
        if found.kind == "image":
            return {}
        if (size := self.config.sizes.get(found.size)) is None:
            known = ", ".join(sorted(self.config.sizes))
            raise BadInput(f"model.yml: size: {found.size}: there is none; there are {known}")
        return {"cpu": size.limit.cpu, "memory": size.limit.memory, "pids": size.pids}


def _project(repository: Repository, commit: str) -> Project:
    """Give what the model.yml of a commit says. Raises BadInput."""
    shown = subprocess.run(
        ("git", "-C", str(repository.path), "cat-file", "blob", f"{commit}:{project.FILE}"),
        capture_output=True,
        check=False,
    )
    if shown.returncode:
        raise BadInput(f"{project.FILE}: is missing in commit {commit}")
    found, problems = project.parse(shown.stdout.decode(errors="replace"))
    if found is None:
        raise BadInput(str(problems[0]))
    return found


def _export(repository: Repository, commit: str, name: str, to: Path) -> None:
    """Write a folder of a commit, if it has such a one, into a directory; whole or not at all."""
    if (to / name).exists():  # of the same commit, which has not changed
        return
    git = ("git", "-C", str(repository.path))
    if not subprocess.run((*git, "ls-tree", commit, name), check=True, capture_output=True).stdout:
        return
    packed = subprocess.run((*git, "archive", commit, name), check=True, capture_output=True).stdout
    with tempfile.TemporaryDirectory(dir=to) as new, tarfile.open(fileobj=BytesIO(packed)) as files:
        try:
            files.extractall(new, filter="data")
        except tarfile.FilterError as error:
            raise BadInput(f"{name}/: {error}") from None
        (Path(new) / name).rename(to / name)


def _replace(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
