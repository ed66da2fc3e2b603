"""What the builder removes: a stand-in of the registry's API, and of the engine."""

import asyncio
import contextlib
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from notehive.builder import collection, lock
from notehive.builder.config import BuilderConfig
from notehive.builder.engine import BuildEngine
from notehive.builder.prune import Prunes
from notehive.builder.push import Pushes
from notehive.builder.registry import Registry
from notehive.builder.wanted import Wanted, WantedPruning
from notehive.errors import NotehiveError
from tests.support.listening import listening

KIND = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = BuilderConfig(
    stack="nh", registry_port=5000, push_port=5001, images={}, sizes={}, constraint=""
)
A, B, C = ("a" * 40, "b" * 40, "c" * 40)


def manifest(config: str) -> bytes:
    return json.dumps({"config": {"digest": config}}).encode()


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class StandInRegistry:
    """Manifests by their digests, and digests by the tags of one path."""

    manifests: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def has(self, tag: str, config: str) -> str:
        """Have an image; give its digest."""
        data = manifest(config)
        self.manifests[digest(data)] = data
        self.tags[tag] = digest(data)
        return digest(data)

    async def make(self) -> web.AppRunner:
        app = web.Application()
        path = "/v2/models/lab/geo"
        app.add_routes(
            [
                web.get(f"{path}/tags/list", self.listed),
                web.get(f"{path}/manifests/{{tag}}", self.get),
                web.put(f"{path}/manifests/{{tag}}", self.put),
                web.delete(f"{path}/manifests/{{digest}}", self.delete),
            ]
        )
        return web.AppRunner(app)

    async def listed(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"].startswith("Basic ")
        return web.json_response({"tags": sorted(self.tags) or None})

    async def get(self, request: web.Request) -> web.Response:
        found = self.tags.get(request.match_info["tag"])
        if found is None:
            return web.Response(status=404)
        headers = {"Docker-Content-Digest": found, "Content-Type": KIND}
        return web.Response(body=self.manifests[found], headers=headers)

    async def put(self, request: web.Request) -> web.Response:
        assert request.content_type == KIND
        data = await request.read()
        assert digest(data) in self.manifests
        self.tags[request.match_info["tag"]] = digest(data)
        return web.Response(status=201)

    async def delete(self, request: web.Request) -> web.Response:
        gone = request.match_info["digest"]
        if self.manifests.pop(gone, None) is None:
            return web.Response(status=404)
        self.tags = {tag: each for tag, each in self.tags.items() if each != gone}
        return web.Response(status=202)


class StandInEngine(BuildEngine):
    """Has images and services of the test's own; a push makes the registry have the image."""

    def __init__(self, registry: StandInRegistry) -> None:
        self.registry = registry
        self.has: dict[str, str] = {}  # id of an image by its name
        self.listed: list[dict[str, Any]] = []
        self.runs: list[str] = []
        self.removed: list[str] = []

    async def image(self, reference: str) -> dict[str, Any] | None:
        return {"Id": self.has[reference]} if reference in self.has else None

    async def images(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        assert labels == {
            "notehive.builder": "nh",
            "notehive.kind": "model-image",
            "notehive.group": "lab",
            "notehive.model": "geo",
        }
        return self.listed

    async def services(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        assert labels == {"notehive.stack": "nh"}
        return [
            {"Spec": {"TaskTemplate": {"ContainerSpec": {"Image": image}}}} for image in self.runs
        ]

    async def tag(self, reference: str, name: str) -> None:
        self.has[name] = self.has[reference]

    async def remove_image(self, reference: str) -> bool:
        self.has.pop(reference, None)
        self.removed.append(reference)
        return True

    async def push(self, reference: str, login: Mapping[str, str]) -> AsyncIterator[str]:
        self.registry.has(reference.rpartition(":")[2], self.has[reference])
        yield "pushed"


def quiet(line: str) -> None:
    pass


@pytest.fixture
def there() -> StandInRegistry:
    return StandInRegistry()


@pytest.fixture
def registry(there: StandInRegistry) -> Iterator[Registry]:
    with listening(there.make) as url:
        yield Registry("password", url)


def prune(registry: Registry, engine: StandInEngine, keep: dict[str, str]) -> dict[str, int]:
    wanted = WantedPruning(group="lab", name="geo", keep=keep)
    return asyncio.run(Prunes(CONFIG, engine, registry).prune(wanted, quiet))


def test_all_but_what_is_to_be_kept_goes(there: StandInRegistry, registry: Registry) -> None:
    engine = StandInEngine(there)
    stays = there.has(B, "two")
    for tag in (A, C):
        there.has(tag, tag)
    there.has(f"{A}-older", "older")
    assert prune(registry, engine, {B: stays}) == {"removed": 3}
    assert there.tags == {B: stays}
    assert list(there.manifests) == [stays]
    assert prune(registry, engine, {B: stays}) == {"removed": 0}


def test_what_is_kept_stays_by_any_tag(there: StandInRegistry, registry: Registry) -> None:
    """A commit that was built anew: what is published is the image before."""
    stays = there.has(f"{A}-older", "older")
    there.has(A, "newer")
    prune(registry, StandInEngine(there), {A: stays})
    assert there.tags == {f"{A}-older": stays}


def test_what_runs_stays(there: StandInRegistry, registry: Registry) -> None:
    engine = StandInEngine(there)
    runs, stays = there.has(A, "one"), there.has(B, "two")
    there.has(C, "three")
    engine.runs = ["notehive/hub:1", f"127.0.0.1:5000/models/lab/geo@{runs}"]
    assert prune(registry, engine, {B: stays}) == {"removed": 1}
    assert set(there.tags.values()) == {runs, stays}


def test_a_model_without_images(there: StandInRegistry, registry: Registry) -> None:
    assert prune(registry, StandInEngine(there), {}) == {"removed": 0}


def test_the_engine_forgets_other_commits(there: StandInRegistry, registry: Registry) -> None:
    engine = StandInEngine(there)

    def image(commit: str, *names: str) -> dict[str, Any]:
        labels = {"notehive.commit": commit}
        return {"Id": f"id-{commit[0]}", "RepoTags": names or None, "Labels": labels}

    engine.listed = [
        image(A, f"127.0.0.1:5000/models/lab/geo:{A}"),
        image(B, f"127.0.0.1:5000/models/lab/geo:{B}"),
        image(C),
    ]
    prune(registry, engine, {B: there.has(B, "two")})
    assert engine.removed == [f"127.0.0.1:5000/models/lab/geo:{A}", "id-c"]


def test_a_registry_that_does_not_answer() -> None:
    registry = Registry("password", "http://127.0.0.1:9")
    with pytest.raises(NotehiveError, match=r"^registry: it does not answer"):
        prune(registry, StandInEngine(StandInRegistry()), {})


def test_an_image_that_is_replaced_keeps_a_tag(
    there: StandInRegistry, registry: Registry, tmp_path: Path
) -> None:
    engine = StandInEngine(there)
    wanted = Wanted(group="lab", name="geo", commit=A)
    before = there.has(A, "older")
    engine.has[wanted.image(5000)] = "newer"
    pushes = Pushes(CONFIG, engine, registry, tmp_path)
    result = asyncio.run(pushes.push(wanted, quiet))
    assert result["digest"] == there.tags[A] != before
    assert there.tags[f"{A}-{before[7:19]}"] == before


# Pushes and collections


async def until_waiting(task: asyncio.Task[Any]) -> None:
    """Give a task time to end, if nothing holds it."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(task), 3 * lock.LOOK_SECONDS)


def test_a_collection_waits_for_pushes_and_pushes_for_it(tmp_path: Path) -> None:
    done: list[str] = []

    async def collect() -> None:
        async with lock.held(tmp_path, alone=True):
            done.append("collected")

    async def check() -> None:
        async with (
            lock.held(tmp_path, alone=False),
            lock.held(tmp_path, alone=False),
        ):
            task = asyncio.create_task(collect())
            await until_waiting(task)
            assert done == []
        await task
        async with lock.held(tmp_path, alone=True):
            # Of another process, as `up` is; a thread with a file of its own is the same.
            other = threading.Thread(target=push)
            other.start()
            other.join(3 * lock.LOOK_SECONDS)
            assert other.is_alive()
        await asyncio.to_thread(other.join)
        assert done == ["collected", "pushed"]

    def push() -> None:
        with lock.pushing(tmp_path):
            done.append("pushed")

    asyncio.run(check())


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A registry's volume with images."""
    (tmp_path / collection.IMAGES).mkdir(parents=True)
    return tmp_path


def test_a_collection_that_is_given_up_lets_go(store: Path) -> None:
    async def check() -> None:
        async with lock.held(store, alone=False):
            task = asyncio.create_task(collection.collect(quiet, store))
            await until_waiting(task)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        async with lock.held(store, alone=True):
            pass

    asyncio.run(asyncio.wait_for(check(), 10))


def test_a_collection_says_what_it_freed(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector is a stand-in: the stack's tests have the real one."""
    said = "models/lab/geo\n2 blobs marked, 2 blobs and 0 manifests eligible for deletion\n"
    script = f"printf '{said}'; echo '{collection.FREED}a'; echo '{collection.FREED}b'"
    monkeypatch.setattr(collection, "COMMAND", ("sh", "-c", script))
    lines: list[str] = []
    assert asyncio.run(collection.collect(lines.append, store)) == {"freed": 2}
    assert lines == ["freed 2 blobs of the registry"]
    monkeypatch.setattr(collection, "COMMAND", ("sh", "-c", "echo 'failed to mark'; exit 1"))
    with pytest.raises(NotehiveError, match="its disk cannot be freed: failed to mark"):
        asyncio.run(collection.collect(quiet, store))


def test_before_the_first_push_there_is_nothing_to_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registry's own collector fails then: it finds no folder of images."""
    monkeypatch.setattr(collection, "COMMAND", ("false",))
    assert asyncio.run(collection.collect(quiet, tmp_path)) == {"freed": 0}
