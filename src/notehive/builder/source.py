"""A commit of a repository, as files in a directory.

Git reads the repository's objects and nothing else of it: its configuration, attributes and hooks
could name programs that run with the builder's rights. The files are those that `git archive`
gives, never a checkout.
"""

import os
import tarfile
import time
from pathlib import Path

from notehive import shell
from notehive.errors import BadInput

LARGEST = 1 << 30  # bytes of all files together
MOST_FILES = 20_000
SUBMODULE = "160000"
POINTER = b"version https://git-lfs.github.com/spec/"  # what stands where Git LFS has a file
LARGEST_POINTER = 1024


class Source:
    """Reads repositories; ``empty`` is a repository of the builder's own, made if need be."""

    def __init__(self, empty: Path) -> None:
        self.empty = empty
        shell.run(["git", "init", "--quiet", "--bare", str(empty)])

    def export(self, repository: Path, commit: str, to: Path) -> int:
        """Write the files of a commit below a new directory; give the commit's time (Unix).

        All of it, with the modes 644 or 755. Raises BadInput.
        """
        if not (repository / "objects").is_dir():
            raise BadInput(f"{repository.parent.name}/{repository.stem}: no such repository")
        if self._git(repository, "cat-file", "-t", commit, check=False) != "commit":
            raise BadInput(f"{repository.parent.name}/{repository.stem}: no commit {commit}")
        self._require_plain(repository, commit)
        to.mkdir()
        file = to.with_suffix(".tar")
        self._git(repository, "archive", "--format=tar", f"--output={file}", commit)
        with tarfile.open(file) as archive:
            for entry in archive:
                try:
                    archive.extract(entry, to, filter="data")
                except tarfile.FilterError:
                    raise BadInput(
                        f"{entry.name}: leads out of the project; put there what it leads to"
                    ) from None
        file.unlink()
        _require_contents(to)
        now = time.time_ns()
        for path in to.rglob("*"):
            # As the files of no other build. BuildKit takes a file for one that it has been given
            # before by its size and time; those of two commits of a second can be the same.
            os.utime(path, ns=(now, now), follow_symlinks=False)
        return int(self._git(repository, "show", "--no-patch", "--format=%ct", commit))

    def _require_plain(self, repository: Path, commit: str) -> None:
        """Raise BadInput for what is no file, or too much."""
        listed = self._git(repository, "ls-tree", "-r", "-z", "--long", "--full-tree", commit)
        rows = [row.partition("\t") for row in listed.split("\0") if row]
        total = 0
        for told, _, path in rows:
            mode, _, _, size = told.split()
            if mode == SUBMODULE:
                raise BadInput(f"{path}: is a submodule, which builds do not fetch; copy its files")
            total += int(size)
        if len(rows) > MOST_FILES:
            raise BadInput(f"the project has {len(rows)} files; {MOST_FILES} are the most")
        if total > LARGEST:
            raise BadInput(
                f"the project has {total >> 20} MB; {LARGEST >> 20} are the most, "
                "data belong into the shared folder"
            )

    def _git(self, repository: Path, *args: str, check: bool = True) -> str:
        told = {
            "GIT_DIR": str(self.empty),
            "GIT_OBJECT_DIRECTORY": str(repository / "objects"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        return shell.run(["git", *args], env=told, check=check).out.strip()


def _require_contents(directory: Path) -> None:
    """Raise BadInput for a file whose content is elsewhere."""
    for path in sorted(directory.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_POINTER:
            continue
        if path.read_bytes().startswith(POINTER):
            raise BadInput(
                f"{path.relative_to(directory)}: is kept by Git LFS, which builds do not fetch; "
                "commit the file itself, or put it into the shared folder"
            )
