"""The files of a project: what git has or would take, or else all that is there."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

# What no project means to release.
SKIPPED = {".git", ".ipynb_checkpoints", "__pycache__", ".pytest_cache", ".venv"}


def paths(root: Path) -> list[str]:
    """Give the paths of all files and symbolic links of a project, relative to it, sorted.

    In a clone, what .gitignore names is no part of the project.
    """
    listed = _listed_by_git(root) if (root / ".git").exists() else None
    found = _walked(root) if listed is None else listed
    return sorted(path for path in found if not SKIPPED & set(Path(path).parts))


def in_lfs(root: Path, names: list[str]) -> set[str]:
    """Give those of the files that Git LFS keeps, by .gitattributes: git itself has pointers."""
    said = _git(root, "check-attr", "-z", "--stdin", "filter", given="\0".join(names))
    fields = (said or "").split("\0")
    return {name for name, value in zip(fields[::3], fields[2::3], strict=False) if value == "lfs"}


def _listed_by_git(root: Path) -> list[str] | None:
    said = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if said is None:
        return None
    # A file that was removed and not yet committed is still listed.
    return [name for name in said.split("\0") if name and os.path.lexists(root / name)]


def _git(root: Path, *arguments: str, given: str = "") -> str | None:
    try:
        done = subprocess.run(
            # A repository's configuration may name a program for this.
            ["git", "-C", str(root), "-c", "core.fsmonitor=false", *arguments],
            input=given.encode(errors="surrogateescape"),
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.decode(errors="surrogateescape")


def _walked(root: Path) -> Iterator[str]:
    for folder, below, names in os.walk(root):
        linked = [name for name in below if Path(folder, name).is_symlink()]
        below[:] = [name for name in below if name not in SKIPPED]
        for name in (*names, *linked):
            yield str(Path(folder, name).relative_to(root))
