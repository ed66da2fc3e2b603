"""What a client of the upload API sends: twine, uv and their like."""

import asyncio
import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, web
from aiohttp.http import HttpProcessingError
from packaging.metadata import parse_email
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

from notehive.pypi.disk import PART
from notehive.pypi.page import FILENAME

CHUNK = 256 * 1024
LONGEST_FIELD = 4096
LONGEST_METADATA = 4 * 1024**2
FIELDS = (":action", "name", "requires_python", "sha256_digest")


class UploadError(Exception):
    """What was sent is no package, in words for who sent it."""


@dataclass(frozen=True)
class Upload:
    """A package that was sent, in a file that is the receiver's to move."""

    path: Path
    filename: str
    project: str  # in the form that indexes use
    said: dict[str, Any]  # what a page says of it, but where it is
    metadata: bytes  # of a wheel


async def receive(request: web.BaseRequest, directory: Path) -> Upload:
    """Read a form into a file of this directory. Raises UploadError, and then leaves none."""
    if request.content_type != "multipart/form-data":
        raise UploadError("this is no form; use twine or `uv publish`")
    fields: dict[str, str] = {}
    number, name = tempfile.mkstemp(dir=directory, prefix=PART)
    path, filename, digest = Path(name), "", ""
    try:
        with os.fdopen(number, "wb") as file:
            form = await request.multipart()
            while (part := await form.next()) is not None:
                if not isinstance(part, BodyPartReader):
                    raise UploadError("the form holds another form")
                if part.name == "content" and not filename:
                    filename, digest = part.filename or "", await _save(part, file)
                elif part.name in FIELDS:
                    fields[part.name] = (await part.read_chunk(LONGEST_FIELD)).decode()
        return await asyncio.to_thread(_judge, path, filename, digest, fields)
    except BaseException as error:
        path.unlink()
        if isinstance(error, ValueError | HttpProcessingError):
            raise UploadError(str(error)) from None
        raise


async def _save(part: BodyPartReader, file: Any) -> str:
    """Write a part of a form to a file; give its digest."""
    digest = hashlib.sha256()
    while chunk := await part.read_chunk(CHUNK):
        digest.update(chunk)
        await asyncio.to_thread(file.write, chunk)
    return digest.hexdigest()


def _judge(path: Path, filename: str, digest: str, fields: dict[str, str]) -> Upload:
    """Give what the file is. Raises ValueError if it is no package."""
    if fields.get(":action") != "file_upload":
        raise UploadError("the form has no :action=file_upload; use twine or `uv publish`")
    if not FILENAME.fullmatch(filename):
        raise UploadError("the form has no file in `content`, or one with an odd name")
    is_wheel = filename.endswith(".whl")
    # Both raise ValueErrors for a name that says no project and version.
    project = str((parse_wheel_filename if is_wheel else parse_sdist_filename)(filename)[0])
    metadata = _metadata(path) if is_wheel else b""
    told: Mapping[str, Any] = parse_email(metadata)[0] if is_wheel else fields
    for name in (told.get("name"), fields.get("name")):
        if name and canonicalize_name(name) != project:
            raise UploadError(f"{filename}: says of itself that it is {name}")
    if fields.get("sha256_digest", digest) != digest:
        raise UploadError(f"{filename}: arrived with another digest; send it again")
    said: dict[str, Any] = {"filename": filename, "hashes": {"sha256": digest}}
    said["size"] = path.stat().st_size
    if requires := told.get("requires_python"):
        said["requires-python"] = requires
    if metadata:
        said["core-metadata"] = {"sha256": hashlib.sha256(metadata).hexdigest()}
    return Upload(path, filename, project, said, metadata)


def _metadata(wheel: Path) -> bytes:
    """Give the metadata inside of a wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for info in archive.infolist():
                folder, _, name = info.filename.partition("/")
                if folder.endswith(".dist-info") and name == "METADATA":
                    if info.file_size > LONGEST_METADATA:
                        raise UploadError(f"{info.filename} is longer than any")
                    return archive.read(info)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError):
        pass  # damaged, or packed in a way that no installer knows
    raise UploadError("the file is no wheel: it has no METADATA")
