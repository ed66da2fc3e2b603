"""Groups' own packages: a folder for each group and project, with what is said of each file."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from packaging.utils import parse_sdist_filename, parse_wheel_filename

from notehive.pypi.disk import read_json, replace
from notehive.pypi.page import METADATA, Page
from notehive.pypi.upload import Upload

SAID = ".json"  # ends the name of what a page says of a file


class TakenError(Exception):
    """There is another file of this name, which others may have installed."""


class Shelf:
    """The packages in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def projects(self, group: str) -> list[str]:
        """Give the names that belong to a group."""
        here = self.directory / group
        return sorted(path.name for path in here.iterdir()) if here.is_dir() else []

    def owner(self, groups: list[str], project: str) -> str:
        """Give the first of these groups to which a name belongs; empty for none."""
        return next((g for g in groups if (self.directory / g / project).is_dir()), "")

    def page(self, group: str, project: str) -> Page:
        """Give the page of a group's project; without files if all have been removed."""
        said = sorted((self.directory / group / project).glob(f"*{SAID}"))
        files = [read_json(path) for path in said]
        versions = {_version(file["filename"]) for file in files}
        return {
            "meta": {"api-version": "1.1"},
            "name": project,
            "versions": sorted(versions),
            "files": files,
        }

    def file(self, group: str, project: str, filename: str) -> Path | None:
        """Give a file of a project, or the metadata beside it."""
        path = self.directory / group / project / filename
        said = path.with_name(filename.removesuffix(METADATA) + SAID)
        return path if said.exists() and path.exists() else None

    def add(self, group: str, upload: Upload, user: str) -> None:
        """Take a package that the user has sent. Raises TakenError if the name has another file."""
        folder = self.directory / group / upload.project
        path, said = folder / upload.filename, folder / (upload.filename + SAID)
        if known := read_json(said):
            if known["hashes"] != upload.said["hashes"]:
                raise TakenError(upload.filename)
            return  # sent once more: the client did not hear that it was taken
        folder.mkdir(parents=True, exist_ok=True)
        upload.path.replace(path)
        if upload.metadata:
            replace(folder / (upload.filename + METADATA), upload.metadata)
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        # From here on the page tells of it.
        told = {**upload.said, "upload-time": now, "_uploaded-by": user}
        replace(said, json.dumps(told).encode())

    def remove(self, group: str, project: str, filename: str = "") -> None:
        """Remove a file. The name stays the group's, until all of the project is removed."""
        folder = self.directory / group / project
        if not filename:
            shutil.rmtree(folder)
            return
        for end in (SAID, METADATA, ""):
            (folder / (filename + end)).unlink(missing_ok=True)


def _version(filename: str) -> str:
    if filename.endswith(".whl"):
        return str(parse_wheel_filename(filename)[1])
    return str(parse_sdist_filename(filename)[1])
