"""Where things are on the operator's machine."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
"""The clone that this command was started from."""


@dataclass(frozen=True)
class Workspace:
    """Files that `up` writes for a stack: logs of builds, the filled-in stack."""

    directory: Path

    @classmethod
    def of(cls, stack: str) -> "Workspace":
        """Make and give the directory of this stack, for root's eyes only."""
        directory = ROOT / ".notehive" / "stacks" / stack
        (directory / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        return cls(directory)

    @property
    def logs(self) -> Path:
        """Logs of builds, one file an image."""
        return self.directory / "logs"

    def read(self, name: str) -> str:
        """Give what `write` wrote, or nothing."""
        path = self.directory / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def write(self, name: str, text: str) -> Path:
        """Write a file that only root reads; give its path."""
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        return path
