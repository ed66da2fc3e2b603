"""A group's repository, as the builder reads it, made by hand."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

TIME = 1700000000  # of every commit


class Repository:
    """A bare repository, and a clone to commit in."""

    def __init__(self, directory: Path, name: str) -> None:
        self.bare, self.clone = directory / f"{name}.git", directory / "clone"
        self.bare.parent.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", str(self.bare), at=directory)
        self.git("clone", "--quiet", str(self.bare), str(self.clone), at=directory)

    def write(self, files: Mapping[str, str]) -> None:
        """Write files into the clone."""
        for path, text in files.items():
            file = self.clone / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def git(self, *args: str, at: Path | None = None) -> str:
        """Run git, in the clone or elsewhere; give its output."""
        identity = ("-c", "user.name=ana", "-c", "user.email=ana@example.com")
        done = subprocess.run(
            ["git", *identity, *args],
            cwd=at or self.clone,
            env={**os.environ, "GIT_COMMITTER_DATE": f"{TIME} +0000"},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self) -> str:
        """Commit and push all there is; give the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=all")
        self.git("push", "--quiet", "origin", "HEAD")
        return self.git("rev-parse", "HEAD")
