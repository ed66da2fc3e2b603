"""Jobs on a real Swarm, through their guard: from their making to their end, and what is left."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from notehive.jobs import removal
from notehive.jobs.platform import Platform
from notehive.jobs.service import Begun
from tests.support import jobs
from tests.support.jobs import Ports, attempt, ended, make, platform, until
from tests.support.site import Site

Work = Callable[[Platform], Awaitable[Any]]

pytestmark = pytest.mark.usefixtures("with_airflow")  # with it comes the guard of jobs


@pytest.fixture
def ports(site: Site, with_airflow: Site) -> Iterator[Ports]:
    with jobs.ports(site) as ports:
        yield ports


@pytest.fixture(scope="module")
def begun(with_airflow: Site, tmp_path_factory: pytest.TempPathFactory) -> Begun:
    return jobs.release(with_airflow, tmp_path_factory.mktemp("release"))


@pytest.fixture
def run(
    site: Site, ports: Ports, request: pytest.FixtureRequest
) -> Iterator[Callable[[Work], Any]]:
    """Run something that follows jobs; nothing may be left of them."""

    def run(work: Work) -> Any:
        async def go() -> Any:
            async with platform(site, ports) as made:
                return await asyncio.wait_for(work(made), 120)

        return asyncio.run(go())

    yield run
    assert not site.of_kind("job")
    assert not site.of_kind("job-token")


def test_a_step_is_done(run: Any, begun: Begun, request: Any) -> None:
    """With its environment, its directory, its token, and neither rights nor root."""

    async def work(platform: Platform) -> None:
        told = make(
            platform,
            begun,
            attempt(
                "done",
                """
                import os, pathlib
                for name in sorted(os.environ):
                    if name.startswith(("NOTEHIVE_", "MLFLOW_TRACKING_URI", "MLFLOW_WORKSPACE")):
                        if name != "NOTEHIVE_PARAMETERS":
                            print(name, os.environ[name])
                print("uid", os.getuid(), os.getcwd())
                pathlib.Path(os.environ["NOTEHIVE_RUN_DIR"], "data").write_text("kept")
                told = pathlib.Path(os.environ["NOTEHIVE_RUN_DIR"], ".notehive")
                told.mkdir(exist_ok=True)
                (told / "fit.json").write_text('{"drifted": true}')
                """,
                logical_date="2026-01-01T00:00:00+00:00",
            ),
        )
        verdict = await ended(told)
        assert verdict.done, told.lines
        for line in (
            "NOTEHIVE_GROUP lab",
            "NOTEHIVE_LOGICAL_DATE 2026-01-01T00:00:00+00:00",
            "NOTEHIVE_RUN_DIR /mnt/run",
            "NOTEHIVE_TRY 1",
            f"NOTEHIVE_IMAGE {begun.image}",
            "MLFLOW_WORKSPACE lab",
            "uid 1000 /opt/model",
        ):
            assert line in told.lines
        directory = told.job.attempt.directory
        assert await platform.runs.told(directory, "fit") == {"drifted": True}
        # The next step of the run finds what this one left, in the image that the run began with.
        other = Begun(begun.image.replace("churn@", "churn@")[:-4] + "0000", "later")
        after = attempt("done", "print(open('/mnt/run/data').read())", step="after")
        second = make(platform, other, after)
        assert (await ended(second)).done
        assert "kept" in second.lines

    run(work)


def test_why_it_failed(run: Any, begun: Begun) -> None:
    async def work(platform: Platform) -> None:
        fail = "print('train.ipynb, cell 3: KeyError: age', flush=True); os._exit(1)"
        verdict = await ended(make(platform, begun, attempt("failed", fail)))
        assert verdict == (False, "train.ipynb, cell 3: KeyError: age")
        verdict = await ended(make(platform, begun, attempt("failed", "os._exit(7)", step="odd")))
        assert "exit code 7" in verdict.words
        greedy = "x = [bytearray(2**26) for _ in range(64)]; print('never')"
        verdict = await ended(make(platform, begun, attempt("failed", greedy, step="greedy")))
        assert "out of memory: it may use 1 GB" in verdict.words

    run(work)


def test_no_line_of_a_log_is_lost(run: Any, begun: Begun) -> None:
    """Fast ones, slow ones, those of both streams, and what is written at the very end."""

    async def work(platform: Platform) -> None:
        many = """
            import sys, time
            for number in range(10_000):
                print("line", number)
            sys.stdout.flush()
            for number in range(10):
                print("slow", number, file=sys.stderr if number % 2 else sys.stdout, flush=True)
                time.sleep(0.1)
            print("the end", end="")
            """
        told = make(platform, begun, attempt("long", many))
        assert (await ended(told)).done
        mine = [line for line in told.lines if line.startswith(("line ", "slow ", "the end"))]
        assert mine[:10_000] == [f"line {number}" for number in range(10_000)]
        assert sorted(mine[10_000:-1]) == [f"slow {number}" for number in range(10)]
        assert mine[-1] == "the end"

    run(work)


def test_a_log_without_end_is_cut(run: Any, begun: Begun) -> None:
    async def work(platform: Platform) -> None:
        flood = """
            line = "x" * 1000
            for number in range(30_000):
                print(number, line)
            print("the last line")
            """
        told = make(platform, begun, attempt("flood", flood))
        assert (await ended(told)).done
        assert sum(map(len, told.lines)) < 9 * 2**20
        assert told.lines[-1] == "the last line"

    run(work)


def test_lines_come_while_it_runs(run: Any, begun: Begun, site: Site) -> None:
    """And a cancelled one is gone, with its token."""

    async def work(platform: Platform) -> None:
        wait = "import time; print('first', flush=True); time.sleep(1000)"
        told = make(platform, begun, attempt("cancelled", wait))
        following = asyncio.create_task(told.job.run())

        async def seen() -> bool:
            return "first" in told.lines

        await until("the first line", seen)
        [service] = site.of_kind("job")[:1]
        container = site.containers(told.job.name)[0]
        token = site.docker("exec", container, "cat", "/run/secrets/jupyterhub-token")
        assert token
        following.cancel()
        await asyncio.wait([following])
        await told.job.discard()
        assert service not in site.of_kind("job")

        async def gone() -> bool:
            return not site.containers(told.job.name, ended=False)

        await until("the end of its container", gone)

    run(work)


def test_a_triggerer_that_starts_anew_finds_its_job(run: Any, begun: Begun, site: Site) -> None:
    """Also one that has ended meanwhile; nothing runs twice."""

    async def work(platform: Platform) -> None:
        slow = """
            import pathlib, time
            with open("/mnt/run/starts", "a") as file:
                file.write("once\\n")
            print("begun", flush=True)
            while not pathlib.Path("/mnt/run/go").exists():
                time.sleep(0.1)
            print("done")
            """
        this = attempt("adopted", slow)
        first = make(platform, begun, this)
        following = asyncio.create_task(first.job.run())

        async def seen() -> bool:
            return "begun" in first.lines

        await until("the first line", seen)
        following.cancel()  # as a triggerer that is ended does
        await asyncio.wait([following])
        container = site.containers(first.job.name)[0]
        second = make(platform, begun, this)
        again = asyncio.create_task(second.job.run())

        async def found() -> bool:
            return "begun" in second.lines

        await until("the same line again", found)
        assert site.containers(first.job.name) == [container]
        site.docker("exec", container, "touch", "/mnt/run/go")
        assert (await again).done
        third = make(platform, begun, this)
        assert (await third.job.run()).done, "it has ended, and is asked once more"
        assert third.lines[-2:] == ["begun", "done"]
        await third.job.discard()
        check = make(
            platform, begun, attempt("adopted", "print(open('/mnt/run/starts').read())", step="x")
        )
        assert (await ended(check)).done
        assert check.lines.count("once") == 1

    run(work)


def test_a_new_try_ends_the_former(run: Any, begun: Begun, site: Site) -> None:
    async def work(platform: Platform) -> None:
        wait = "import time; print('first', flush=True); time.sleep(1000)"
        first = make(platform, begun, attempt("tried", wait))
        following = asyncio.create_task(first.job.run())

        async def seen() -> bool:
            return "first" in first.lines

        await until("the first line", seen)
        second = make(platform, begun, attempt("tried", "print('second')", number=2))
        assert (await ended(second)).done
        assert not site.containers(first.job.name, ended=False)
        verdict = await following
        assert not verdict.done
        assert "removed" in verdict.words

    run(work)


def test_a_killed_task_fails(run: Any, begun: Begun, site: Site) -> None:
    async def work(platform: Platform) -> None:
        wait = "import time; print('first', flush=True); time.sleep(1000)"
        told = make(platform, begun, attempt("killed", wait))
        following = asyncio.create_task(ended(told))

        async def seen() -> bool:
            return "first" in told.lines

        await until("the first line", seen)
        site.docker("kill", site.containers(told.job.name)[0])
        verdict = await following
        assert "killed" in verdict.words

    run(work)


def test_it_has_only_so_much_time(run: Any, begun: Begun) -> None:
    async def work(platform: Platform) -> None:
        wait = attempt("timeout", "import time; time.sleep(1000)")
        verdict = await ended(make(platform, begun, wait, timeout=5))
        assert verdict == (False, "It took longer than its timeout of 5 s.")

    run(work)


def test_the_swarm_has_no_place(
    run: Any, begun: Begun, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is waited for is said; that no node may ever take it, is an end."""
    monkeypatch.setattr("notehive.jobs.following.HOPELESS_SECONDS", 6)

    async def work(platform: Platform) -> None:
        config = platform.config.model_copy(
            update={"constraints": [*platform.config.constraints, "node.labels.moon == full"]}
        )
        there = Platform(**{**vars(platform), "config": config})
        told = make(there, begun, attempt("unplaced", "print('never')"))
        verdict = await ended(told)
        assert not verdict.done
        assert "no node of the Swarm satisfies" in verdict.words
        assert "node.labels.moon == full" in verdict.words
        assert any("This step cannot run" in line for line in told.lines)

    run(work)


def test_an_image_that_is_gone(run: Any, begun: Begun) -> None:
    async def work(platform: Platform) -> None:
        gone = Begun(begun.image.partition("@")[0] + "@sha256:" + "0" * 64, "c0ffee")
        verdict = await ended(make(platform, gone, attempt("gone", "")))
        assert "cannot be pulled" in verdict.words

    run(work)


def test_what_no_task_follows_is_removed(run: Any, begun: Begun, site: Site) -> None:
    """At the second look: a triggerer that starts anew needs a moment."""

    async def work(platform: Platform) -> None:
        wait = "import time; print('first', flush=True); time.sleep(1000)"
        told = make(platform, begun, attempt("orphan", wait))
        following = asyncio.create_task(told.job.run())

        async def seen() -> bool:
            return "first" in told.lines

        await until("the first line", seen)
        assert await removal.sweep(platform, {told.job.name}) == set()
        following.cancel()
        await asyncio.wait([following])
        platform.followed.clear()  # as in another process
        known = await removal.sweep(platform, set())
        assert known == {told.job.name}
        assert site.of_kind("job")
        assert await removal.sweep(platform, known) == set()

    run(work)
