"""Which releases stay, and what becomes of the others; the builder is a stand-in."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from notehive.api.builder import Builder
from notehive.api.retention import Limits, Retention, kept, read
from notehive.errors import NotehiveError
from tests.support.releases import publish

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DIGESTS = [f"sha256:{number:064x}" for number in range(10)]


@dataclass(frozen=True)
class StandInBuilder(Builder):
    """Keeps what it is asked."""

    token: str = "token"
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    async def ask(self, stage: str, wanted: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        self.asked.append((stage, wanted))
        yield {"result": {}}


def commit(number: int) -> str:
    return f"{number:040x}"


def release(root: Path, number: int, age: float, **told: Any) -> None:
    """Publish a model's release of some days ago."""
    at = (datetime.now(UTC) - timedelta(days=age)).isoformat(timespec="seconds")
    publish(
        root,
        commit=commit(number),
        digest=DIGESTS[number],
        kind="model",
        told={"published_at": at, **told},
    )


def there(root: Path) -> list[int]:
    """Give the numbers of the releases that are there."""
    found = (root / "lab/geo/releases").iterdir()
    return sorted(int(path.name, 16) for path in found if len(path.name) == 40)


def pruned(root: Path, limits: Limits) -> list[tuple[str, Any]]:
    """Go round once; give what the builder was asked: work, and commits to keep."""
    builder, turns = StandInBuilder(), defaultdict[str, asyncio.Lock](asyncio.Lock)

    async def check() -> None:
        retention = Retention(limits, builder, lambda group, name: turns[name], root)
        await retention.go_round()

    asyncio.run(check())
    return [(work, wanted.get("keep")) for work, wanted in builder.asked]


@pytest.mark.parametrize(
    ("limits", "stay"),
    [
        (Limits(1, 0), [4]),
        (Limits(2, 0), [3, 4]),
        (Limits(9, 0), [1, 2, 3, 4]),
        # Replaced 5, 20 and 30 days ago: the third, the second and the first.
        (Limits(1, 4), [4]),
        (Limits(1, 6), [3, 4]),
        (Limits(1, 21), [2, 3, 4]),
        (Limits(3, 6), [2, 3, 4]),
        (Limits(1, 365), [1, 2, 3, 4]),
    ],
)
def test_what_stays(tmp_path: Path, limits: Limits, stay: list[int]) -> None:
    for number, age in ((1, 90), (2, 30), (3, 20), (4, 5)):
        release(tmp_path, number, age)
    keep = {commit(number): DIGESTS[number] for number in reversed(stay)}
    assert pruned(tmp_path, limits) == [("prune", keep), ("collect", None)]
    assert there(tmp_path) == stay


def test_the_release_that_counts_stays_however_old(tmp_path: Path) -> None:
    for number, age in ((2, 30), (3, 20), (1, 90)):
        release(tmp_path, number, age)
    pruned(tmp_path, Limits(1, 0))
    assert there(tmp_path) == [1, 3]


def test_what_is_no_release_is_left_alone(tmp_path: Path) -> None:
    release(tmp_path, 1, 3)
    release(tmp_path, 2, 2)
    new = tmp_path / "lab/geo/releases/.new-1"
    new.mkdir()
    (tmp_path / "lab/unpublished/releases").mkdir(parents=True)
    pruned(tmp_path, Limits(1, 0))
    assert there(tmp_path) == [2]
    assert new.exists()


@pytest.mark.parametrize(
    "told",
    [
        {"image": "127.0.0.1:5000/models/lab/geo:latest"},
        {"image": 3},
        {"published_at": "yesterday"},
        {"published_at": None},
    ],
)
def test_where_a_release_cannot_be_read_all_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, told: dict[str, Any]
) -> None:
    for number, age in ((1, 90), (2, 30)):
        release(tmp_path, number, age)
    release(tmp_path, 3, 20, **told)
    with caplog.at_level(logging.WARNING):
        assert pruned(tmp_path, Limits(1, 0)) == [("collect", None)]
    assert there(tmp_path) == [1, 2, 3]
    assert "lab/geo: all stays" in caplog.text


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    release(tmp_path, 1, 90)
    release(tmp_path, 2, 30)
    (tmp_path / "lab/geo/current").unlink()
    (tmp_path / "lab/geo/current").symlink_to("releases/" + commit(7))
    assert pruned(tmp_path, Limits(1, 0)) == [("collect", None)]
    assert there(tmp_path) == [1, 2]


def test_a_release_waits_until_its_model_is_done(tmp_path: Path) -> None:
    """And the other way round: nothing goes while something of the model is on its way."""
    release(tmp_path, 1, 3)
    release(tmp_path, 2, 2)

    async def check() -> None:
        lock, builder = asyncio.Lock(), StandInBuilder()
        retention = Retention(Limits(1, 0), builder, lambda group, name: lock, tmp_path)
        async with lock:
            round_ = asyncio.create_task(retention.go_round())
            for _ in range(20):
                await asyncio.sleep(0)
            assert there(tmp_path) == [1, 2]
            assert builder.asked == []
        await round_
        assert there(tmp_path) == [2]

    asyncio.run(check())


def test_a_builder_that_is_not_there_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notehive.api.retention.RETRY_SECONDS", 0.0)
    release(tmp_path, 1, 3)
    failures = [NotehiveError("the builder does not answer")] * 2

    class Absent(StandInBuilder):
        async def ask(self, stage: str, wanted: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
            if failures:
                raise failures.pop()
            async for event in super().ask(stage, wanted):
                yield event

    async def check() -> None:
        builder = Absent()
        lock = asyncio.Lock()
        retention = Retention(Limits(1, 0), builder, lambda group, name: lock, tmp_path)
        work = asyncio.create_task(retention.work())
        while len(builder.asked) < 2:
            await asyncio.sleep(0)
        work.cancel()
        assert [each for each, _ in builder.asked] == ["prune", "collect"]

    asyncio.run(asyncio.wait_for(check(), 10))


def test_days_count_from_the_replacement(tmp_path: Path) -> None:
    """Not from the publication: the first was the one that counted until the second came."""
    release(tmp_path, 1, 900)
    release(tmp_path, 2, 1)
    found = read(tmp_path / "lab/geo/releases")
    current = (tmp_path / "lab/geo/current").resolve()
    now = datetime.now(UTC)
    assert [each.commit for each in kept(found, current, Limits(1, 2), now)] == [
        commit(2),
        commit(1),
    ]
    assert [each.commit for each in kept(found, current, Limits(1, 1), now + timedelta(1))] == [
        commit(2)
    ]
