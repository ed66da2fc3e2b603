"""The repositories below one directory: ``GROUP/NAME.git``."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from notehive.git.paths import GROUP, NAME

ROOT = Path("/srv/git")
SUFFIX = ".git"
BRANCH = "main"  # what is released, and never rewritten
FIELDS = ("%(objectname)", "%(authorname)", "%(committerdate:iso-strict)", "%(contents:subject)")


class Commit(NamedTuple):
    """The last commit of a branch."""

    id: str
    author: str
    time: str  # ISO 8601
    subject: str


class Repository(NamedTuple):
    """One that is there."""

    group: str
    name: str
    path: Path


class Repositories:
    """Makes, finds and lists them. Raises OSError where the file system refuses."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root

    def path(self, group: str, name: str) -> Path:
        """Give the path of one, which may not be there; ValueError for an impossible one."""
        if not re.fullmatch(GROUP, group) or not re.fullmatch(NAME, name):
            raise ValueError(f"{group}/{name}: no name of a group's repository")
        return self.root / group / f"{name}{SUFFIX}"

    def find(self, group: str, name: str) -> Repository | None:
        """Give one, if it is there; what can be no name is none."""
        try:
            path = self.path(group, name)
        except ValueError:
            return None
        return Repository(group, name, path) if path.is_dir() else None

    def make(self, group: str, name: str) -> Repository:
        """Make an empty one, whole or not at all; FileExistsError if there is one."""
        path = self.path(group, name)
        path.parent.mkdir(exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=self.root))
        try:
            command = ("git", "init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(new))
            subprocess.run(command, check=True)
            try:
                new.rename(path)
            except OSError:
                if path.is_dir():
                    raise FileExistsError(f"{group}/{name} is there already") from None
                raise
        finally:
            shutil.rmtree(new, ignore_errors=True)
        return Repository(group, name, path)

    def seen_by(self, sees: Callable[[str], bool]) -> Iterator[Repository]:
        """Give those of the groups that somebody sees, in the order of their names."""
        for path in sorted(self.root.glob(f"*/*{SUFFIX}")):
            group, name = path.parent.name, path.stem
            if re.fullmatch(GROUP, group) and re.fullmatch(NAME, name) and sees(group):
                yield Repository(group, name, path)


def last_commit(repository: Repository) -> Commit | None:
    """Give the last commit of the branch that is released; None before the first one."""
    wanted = f"--format={'%00'.join(FIELDS)}"
    said = subprocess.run(
        ("git", "-C", str(repository.path), "for-each-ref", wanted, f"refs/heads/{BRANCH}"),
        check=True,
        stdout=subprocess.PIPE,
    ).stdout.decode(errors="replace")
    return Commit(*said.rstrip("\n").split("\0")) if said else None
