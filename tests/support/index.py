"""A package index of the tests' own, on this machine: wheels, and sources that run code.

Sources bring their own build backend, so that nothing else is needed to build them.
"""

import functools
import http.server
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from notehive.platform import machine

TAG = "py3-none-any"
# Runs a program, and then builds a wheel from files that lie beside it.
BACKEND = """\
import pathlib, shutil
{program}
def build_wheel(directory, config_settings=None, metadata_directory=None):
    shutil.copy("wheel.zip", pathlib.Path(directory, "{file}"))
    return "{file}"
"""
PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "{name}"
version = "{version}"
"""


def wheel(
    name: str, version: str, requires: str = "", more: Mapping[str, str] | None = None
) -> tuple[str, bytes]:
    """Give name and content of a wheel of one module that holds `answer = 42`.

    ``more`` are files by their place below /usr/local.
    """
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files = {
        f"{module}.py": "answer = 42\n",
        f"{info}/METADATA": metadata + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {TAG}\n",
        **{f"{module}-{version}.data/data/{path}": text for path, text in (more or {}).items()},
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)
    return f"{module}-{version}-{TAG}.whl", content.getvalue()


class Index:
    """The index, in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def add_wheel(
        self, name: str, version: str, requires: str = "", more: Mapping[str, str] | None = None
    ) -> None:
        """Add a package that comes built."""
        self._add(name, *wheel(name, version, requires, more))

    def add_source(self, name: str, program: str = "", version: str = "1.0") -> None:
        """Add a package that comes as source: this program runs when it is built."""
        file, built = wheel(name, version)
        root = file.removesuffix(f"-{TAG}.whl")
        files = {
            "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
            "pyproject.toml": PROJECT.format(name=name, version=version).encode(),
            "backend.py": BACKEND.format(program=program, file=file).encode(),
            "wheel.zip": built,
        }
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:gz") as archive:
            for path, data in files.items():
                entry = tarfile.TarInfo(f"{root}/{path}")
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        self._add(name, f"{root}.tar.gz", content.getvalue())

    def _add(self, name: str, file: str, content: bytes) -> None:
        page = self.directory / "simple" / name / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        (page.parent / file).write_bytes(content)
        page.write_text(f'<!DOCTYPE html><a href="{file}">{file}</a>')


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and says nothing of it."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(directory: Path) -> Iterator[tuple[Index, str]]:
    """An index that answers, and its address for containers."""
    handler = functools.partial(Quiet, directory=str(directory))
    with http.server.ThreadingHTTPServer(("", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Index(directory), f"http://{machine.address()}:{server.server_port}/simple/"
        server.shutdown()
