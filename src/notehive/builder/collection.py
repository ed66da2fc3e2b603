"""Frees the registry's disk of what no image needs any more.

The registry's own collector does it, on the registry's volume. Pulls go on meanwhile, for it takes
nothing that an image has, and the registry keeps nothing in memory; pushes wait.
"""

from pathlib import Path

from notehive.builder import Say, lock, program
from notehive.builder.program import FailedError
from notehive.errors import NotehiveError

STORE = Path("/var/lib/notehive-registry")
IMAGES = "docker/registry/v2/repositories"  # in it, from the first push on
COMMAND = ("docker-registry", "garbage-collect", "/opt/notehive/registry/config.yml")
FREED = "blob eligible for deletion: "  # begins a line of the collector's about one


async def collect(say: Say, store: Path = STORE) -> dict[str, int]:
    """Free what can be; give how many blobs that was. Raises NotehiveError."""
    if not (store / IMAGES).exists():
        return {"freed": 0}  # the collector would fail
    freed: list[str] = []

    def heard(line: str) -> None:
        if line.startswith(FREED):
            freed.append(line)

    async with lock.held(store, alone=True):
        try:
            await program.run(COMMAND, heard)
        except FailedError as error:
            raise NotehiveError(f"registry: its disk cannot be freed: {error}") from None
    say(f"freed {len(freed)} blobs of the registry")
    return {"freed": len(freed)}
