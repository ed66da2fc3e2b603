"""Our images: what is built from what, under which name, and the building of it.

The tree of images is read off the FROM lines of the Dockerfiles, and what goes into an image
off its COPY lines; neither is written anywhere else. An image is tagged by a digest of exactly
what it was built from, so an unchanged one is never built again.
"""

import hashlib
import io
import re
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from notehive import docker, shell
from notehive.errors import BadInput, NotehiveError

FROM = re.compile(r"^FROM\s+notehive/([a-z0-9-]+)(\s+AS\s+\S+)?\s*$", re.M | re.I)
COPY = re.compile(r"^COPY\s+((?:--\S+\s+)*)(.+)$", re.M)
CONTINUED = re.compile(r"\\\n\s*")
DEBIAN = "debian"  # the root of the tree, which is not built from a Dockerfile
WORKERS = 2  # builds at once: one downloads while another compiles
SKIPPED = {"__pycache__"}


@dataclass(frozen=True)
class Image:
    """One image of ours, as its Dockerfile describes it."""

    name: str
    dockerfile: Path  # relative to the root of the clone
    text: str = field(repr=False)

    @property
    def parents(self) -> list[str]:
        """Images of ours that it is built from."""
        return [match[1] for match in FROM.finditer(self.text)]

    @property
    def inputs(self) -> list[str]:
        """Files and folders that it copies, relative to the root of the clone."""
        found = []
        for flags, paths in COPY.findall(CONTINUED.sub(" ", self.text)):
            if "--from" not in flags:
                found += paths.split()[:-1]
        return found


def tree(root: Path) -> dict[str, Image]:
    """Give every image below the root of the clone, parents before children."""
    images = {}
    for path in sorted([*root.glob("*/Dockerfile"), *root.glob("notebooks-images/*/Dockerfile")]):
        relative = path.relative_to(root)
        folder = relative.parent
        name = folder.name if folder.parent == Path() else f"notebooks-{folder.name}"
        images[name] = Image(name, relative, path.read_text(encoding="utf-8"))
    return {name: images[name] for name in _ordered(images)}


def _ordered(images: Mapping[str, Image]) -> Iterable[str]:
    done: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise BadInput(
                f"{images[name].dockerfile}: is built from itself: {' -> '.join((*path, name))}"
            )
        if name in done or name == DEBIAN:
            return
        if name not in images:
            child = images[path[-1]]
            raise BadInput(f"{child.dockerfile}: FROM notehive/{name}: there is no such image")
        for parent in images[name].parents:
            visit(parent, (*path, name))
        done.append(name)

    for name in images:
        visit(name, ())
    return done


def with_parents(images: Mapping[str, Image], names: Iterable[str]) -> list[str]:
    """Give these images and all that they are built from, parents first."""
    wanted: set[str] = set()

    def add(name: str) -> None:
        if name != DEBIAN and name not in wanted:
            wanted.add(name)
            for parent in images[name].parents:
                add(parent)

    for name in names:
        add(name)
    return [name for name in images if name in wanted]


@dataclass(frozen=True)
class Source:
    """Where what goes into images comes from."""

    root: Path
    site: Mapping[str, bytes]  # files that the settings give, by their path in the context
    debian: str  # name of the Debian image
    debian_id: str  # and what it is, for the digests
    registry: str  # host and port before every name

    def files(self, image: Image) -> dict[str, tuple[bytes, int]]:
        """Give what the image copies: content and mode by path."""
        found: dict[str, tuple[bytes, int]] = {}
        for name in image.inputs:
            if name in self.site:
                found[name] = self.site[name], 0o644
                continue
            path = self.root / name
            if not path.exists():
                raise BadInput(f"{image.dockerfile}: COPY {name}: there is no such file")
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file() and not SKIPPED & set(file.parts):
                    mode = 0o755 if file.stat().st_mode & 0o100 else 0o644
                    found[str(file.relative_to(self.root))] = file.read_bytes(), mode
        return found

    def references(self, images: Mapping[str, Image]) -> dict[str, str]:
        """Give the full name of every image: registry, repository and digest of what goes in."""
        names: dict[str, str] = {}
        digests = {DEBIAN: self.debian_id}
        for name, image in images.items():
            digest = hashlib.sha256(image.text.encode())
            for parent in image.parents:
                digest.update(f"\0{digests[parent]}".encode())
            for path, (content, mode) in self.files(image).items():
                digest.update(f"\0{path}\0{mode}\0{len(content)}\0".encode() + content)
            digests[name] = digest.hexdigest()[:16]
            names[name] = f"{self.registry}/notehive/{name}:{digests[name]}"
        return names

    def context(self, image: Image, references: Mapping[str, str]) -> bytes:
        """Give the build context: just what the image copies, and its Dockerfile."""
        parents = {**references, DEBIAN: self.debian}
        text = FROM.sub(lambda match: f"FROM {parents[match[1]]}{match[2] or ''}", image.text)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for path, (content, mode) in {
                "Dockerfile": (text.encode(), 0o644),
                **self.files(image),
            }.items():
                entry = tarfile.TarInfo(path)
                entry.size, entry.mode = len(content), mode
                archive.addfile(entry, io.BytesIO(content))
        return buffer.getvalue()


class Builder:
    """Builds what is missing, two at a time, parents first."""

    def __init__(self, source: Source, logs: Path, secrets: Mapping[str, str]) -> None:
        self.source, self.logs, self.secrets = source, logs, secrets
        self._stop = threading.Event()

    def build(
        self, image: Image, references: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        """Build one image. Raises BadInput with the end of its log if that fails."""
        log = self.logs / f"{image.name}.log"
        with tempfile.TemporaryFile() as context:
            context.write(self.source.context(image, references))
            context.seek(0)
            code = shell.stream(
                docker.build(references[image.name], secrets=self.secrets),
                log=log,
                stdin=context,
                env={"DOCKER_BUILDKIT": "1"},
                on_line=lambda line: say(_plain(line)),
                stop=self._stop,
            )
        if code and self._stop.is_set():
            raise NotehiveError(f"{image.dockerfile}: its build was stopped")
        if code:
            last = [line for line in log.read_text().splitlines() if line.strip()][-8:]
            raise BadInput(
                "\n".join(last) + f"\n{image.dockerfile}: the build failed (exit code {code}); "
                f"nothing of the running stack was changed; full log: {log}"
            )

    def build_all(
        self,
        images: Mapping[str, Image],
        missing: Iterable[str],
        references: Mapping[str, str],
        run: Callable[[str, Callable[[Callable[[str], None]], None]], None],
    ) -> None:
        """Build the missing images; ``run(name, build)`` shows each one's step."""
        todo = list(missing)
        done = set(images) - set(todo) | {DEBIAN}
        running: dict[Future[None], str] = {}
        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                while todo or running:
                    for name in [n for n in todo if done.issuperset(images[n].parents)]:
                        if len(running) == WORKERS:
                            break
                        todo.remove(name)
                        image = images[name]
                        build = partial(self.build, image, references)
                        work = pool.submit(run, name, build)
                        running[work] = name
                    for work in wait(running, return_when=FIRST_COMPLETED).done:
                        done.add(running.pop(work))
                        work.result()
            except BaseException:
                self._stop.set()
                raise


def _plain(line: str) -> str:
    """A line of the build's log without BuildKit's step number and seconds."""
    return re.sub(r"^#\d+ (?:\d+\.\d+ )?", "", line)
