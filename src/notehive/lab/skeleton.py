"""Gives a home what the image has for it in /etc/skel: dotfiles, a welcome notebook.

With them comes a link to the shared folders: Lab's file browser shows the home alone.

Each file is given once. One that the user has edited is never overwritten, one that the user has
deleted never comes back, and an image that brings more files than the last one gives the rest.
A home that is full or cannot be written is reported, and no reason for the server not to start.
"""

import contextlib
import sys
import sysconfig
from pathlib import Path

SKELETON = Path("/etc/skel")
SHARED = Path("/shared")  # is there if the user has shared folders
GIVEN = ".local/state/notehive/given"


def give() -> None:
    """Give the user's home what it was not given before, as far as it can be written."""
    try:
        populate(Path.home())
    except OSError as error:
        print(f"populate-home: {error}; starting without the welcome files", file=sys.stderr)


def populate(home: Path, skeleton: Path = SKELETON) -> None:
    """Copy to `home` the files of `skeleton` that it was not given before."""
    # Jupyter would ask once whether there is something of IPython 3's to take over, and write that
    # down; in a home that has become full meanwhile it could not, and would not start. An empty
    # file takes no space.
    (home / ".jupyter").mkdir(exist_ok=True)
    (home / ".jupyter/migrated").touch()
    # Python looks here only if the folder was there when a kernel started: with it, an import
    # works right after the first `%pip install`.
    Path(sysconfig.get_path("purelib", "posix_user")).mkdir(parents=True, exist_ok=True)
    given = home / GIVEN
    given.parent.mkdir(parents=True, exist_ok=True)
    given.touch()
    names = set(given.read_text().splitlines())
    for source in sorted(path for path in skeleton.rglob("*") if path.is_file()):
        name = str(source.relative_to(skeleton))
        if name not in names:
            copy(source, home / name)
            note(given, name)
    if SHARED.is_dir() and SHARED.name not in names:
        with contextlib.suppress(FileExistsError):
            (home / SHARED.name).symlink_to(SHARED)
        note(given, SHARED.name)


def note(given: Path, name: str) -> None:
    """Write down that something was given."""
    with given.open("a") as record:
        record.write(f"{name}\n")


def copy(source: Path, target: Path) -> None:
    """Copy a file whole or not at all, unless there is one already."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("xb") as file:
            file.write(source.read_bytes())
    except FileExistsError:
        return
    except OSError:
        target.unlink(missing_ok=True)
        raise


if __name__ == "__main__":
    give()
