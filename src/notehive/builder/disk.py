"""The disk: builds end before it is full, for databases and homes may be on it."""

import os
from pathlib import Path

from notehive.errors import NotehiveError

LEAST_FREE = 2 << 30


def require_room(directory: Path, least: int = LEAST_FREE) -> None:
    """Raise NotehiveError if there is little room where this directory is."""
    told = os.statvfs(directory)
    free = told.f_bavail * told.f_frsize
    if free < least:
        raise NotehiveError(
            f"disk: {free >> 20} MB are free where the engine has its images, and builds leave "
            f"{least >> 20}; make room (`docker system df` shows what there is)"
        )
