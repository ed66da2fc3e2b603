"""The directories below the storage's root: homes and shared folders."""

import re
from collections.abc import Iterator
from pathlib import Path

# What may be below the root, and the mode of each of its directories. Files in a shared folder
# belong to the group of the folder.
MODES = {"homes": 0o700, "shared": 0o2770}
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Directories:
    """Makes, finds and lists them. Raises OSError where the file system refuses."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for kind in MODES:
            # Passed through by a node that mounts what is below, listed by nobody else.
            (root / kind).mkdir(mode=0o711, exist_ok=True)

    def path(self, kind: str, name: str) -> Path:
        """Give the path of one, which may not be there; raises ValueError for an impossible one."""
        if kind not in MODES or not NAME.fullmatch(name):
            raise ValueError(f"{kind}/{name}: no name of a home or a shared folder")
        return self.root / kind / name

    def make(self, kind: str, name: str) -> bool:
        """Make one unless it is there, and open it to its owner; say whether it was made."""
        path = self.path(kind, name)
        made = not path.is_dir()
        path.mkdir(exist_ok=True)
        if made or path.stat().st_mode & 0o7777 != MODES[kind]:
            path.chmod(MODES[kind])
        return made

    def all(self) -> Iterator[tuple[str, str]]:
        """Give kind and name of each that is there."""
        for kind in MODES:
            for path in sorted((self.root / kind).iterdir()):
                if NAME.fullmatch(path.name) and path.is_dir():
                    yield kind, path.name
