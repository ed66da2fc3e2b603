"""The parts of a user's server that need no Jupyter: activity, culling, memory, notices."""

import os
import pty
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from notehive.lab import cgroup
from notehive.lab.activity import Activity, CpuMeter, by_a_person, runs_a_program
from notehive.lab.culling import Culling
from notehive.lab.deaths import Deaths, Process
from notehive.lab.notices import Notices
from notehive.lab.report import Reporter


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def activity(clock: Clock, cpu: Callable[[], float] = lambda: 0) -> Activity:
    return Activity(CpuMeter(used=cpu, own=lambda: 0, seconds=30), clock)


def kernel(state: str, last: float) -> Any:
    """What Activity looks at of a Jupyter kernel manager."""
    return SimpleNamespace(execution_state=state, last_activity=datetime.fromtimestamp(last, UTC))


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("PUT", "api/contents/a.ipynb", True),
        ("POST", "api/kernels", True),
        ("GET", "lab", True),
        ("GET", "lab/tree/a.ipynb", True),
        ("GET", "files/a.csv", True),
        ("GET", "api/contents", False),
        ("GET", "api/kernels", False),
        ("GET", "api/terminals", False),
        ("GET", "lab/extensions/x/static/y.js", False),
        ("GET", "labels.txt", False),
        ("POST", "git/work/status", False),
        ("GET", "api/metrics/v1", False),
        ("GET", "notehive/notices", False),
    ],
)
def test_requests_of_people(method: str, path: str, expected: bool) -> None:
    assert by_a_person(method, path) is expected


def test_a_silent_busy_cell_is_use() -> None:
    clock = Clock()
    used = activity(clock)
    clock.now += 10000
    used.look([kernel("busy", 1000), kernel("idle", 1000)], [])
    assert used.latest == clock.now


def test_an_idle_kernel_was_used_when_it_last_spoke() -> None:
    clock = Clock()
    used = activity(clock)
    clock.now += 10000
    used.look([kernel("idle", 4000)], [])
    assert used.latest == 4000


def test_jobs_in_the_background_are_use() -> None:
    clock, spent = Clock(), 0.0
    used = activity(clock, lambda: spent)
    used.look([], [])
    clock.now, spent = clock.now + 30, spent + 1.5  # a twentieth of a CPU
    used.look([], [])
    assert used.latest == 1000
    clock.now, spent = clock.now + 30, spent + 6
    used.look([], [])
    assert used.latest == clock.now


def test_a_touched_page_is_use() -> None:
    clock = Clock()
    used = activity(clock)
    clock.now += 100
    used.note(seconds_ago=40)
    assert used.latest == 1060
    used.note(seconds_ago=80)
    assert used.latest == 1060
    used.note(seconds_ago=-999)  # a page cannot keep a server in advance
    assert used.latest == clock.now


@pytest.fixture
def shell() -> Iterator[Any]:
    """A shell in a real terminal, as terminado has it."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp("bash", ["bash", "--norc", "-i"])
    yield SimpleNamespace(ptyproc=SimpleNamespace(pid=pid, fd=fd), last_activity=None)
    os.close(fd)
    os.waitpid(pid, 0)


def read_until(fd: int, text: bytes) -> None:
    seen = b""
    while text not in seen:
        seen += os.read(fd, 4096)


def test_a_program_in_the_foreground_of_a_terminal(shell: Any) -> None:
    fd = shell.ptyproc.fd
    os.write(fd, b"echo rea''dy\n")
    read_until(fd, b"ready")
    os.write(fd, b"echo wait''ing; read answer\n")  # the shell itself
    read_until(fd, b"waiting")
    assert not runs_a_program(shell)
    os.write(fd, b"x\nbash --norc -c 'echo run''ning; exec sleep 60'\n")
    read_until(fd, b"running")
    assert runs_a_program(shell)
    os.write(fd, b"\x03echo fin''ished\n")
    read_until(fd, b"finished")
    assert not runs_a_program(shell)


def test_when_a_server_stops() -> None:
    culling = Culling(idle=3600, notice=600)
    assert culling.stops_at(now=3999, latest=1000) is None
    assert culling.stops_at(now=4000, latest=1000) == 4600
    assert Culling(idle=0, notice=600).stops_at(now=1e9, latest=0) is None


def test_culling_comes_from_the_hub() -> None:
    given = {"NOTEHIVE_IDLE_SECONDS": "30", "NOTEHIVE_NOTICE_SECONDS": "12.5"}
    assert Culling.from_environment(given) == Culling(30, 12.5)
    assert Culling.from_environment({}) == Culling(0, 0)


def test_reports_are_few_and_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_ACTIVITY_URL", "http://hub/activity")
    reporter = Reporter(idle=3600)
    assert reporter.is_due(now=1000, latest=990)
    reporter._sent, reporter._at = 990, 1000
    assert not reporter.is_due(now=1059, latest=1059)
    assert reporter.is_due(now=1060, latest=1059)
    assert not reporter.is_due(now=5000, latest=990), "nothing new"
    monkeypatch.delenv("JUPYTERHUB_ACTIVITY_URL")
    assert not Reporter().is_due(now=1000, latest=990), "there is no hub"


RUNNING, KILLED = Process(7, None), Process(7, -9)


def test_a_killed_kernel_is_found() -> None:
    deaths = Deaths(count=3)
    assert deaths.look(0, 3, {"a": RUNNING, "b": Process(8, None)}) == []
    assert deaths.look(1, 4, {"a": KILLED, "b": Process(8, None)}) == ["a"]
    assert deaths.look(2, 4, {"a": KILLED, "b": Process(8, None)}) == []
    assert deaths.look(9, 4, {"a": Process(9, None), "b": Process(8, None)}) == []


def test_a_kernel_that_jupyter_has_restarted_already() -> None:
    deaths = Deaths(count=0)
    deaths.look(0, 0, {"a": RUNNING})
    assert deaths.look(1, 1, {"a": Process(9, None)}) == ["a"]


def test_a_kernel_that_takes_its_time_to_vanish() -> None:
    deaths = Deaths(count=0)
    deaths.look(0, 0, {"a": RUNNING})
    assert deaths.look(1, 1, {"a": RUNNING}) == []
    assert deaths.look(3, 1, {"a": KILLED}) == ["a"]
    assert deaths.look(20, 1, {"a": Process(9, None)}) == []


def test_another_program_was_killed() -> None:
    deaths = Deaths(count=0)
    deaths.look(0, 0, {"a": RUNNING})
    assert deaths.look(1, 2, {"a": RUNNING}) == []
    assert deaths.look(7, 2, {"a": RUNNING}) == [""]
    assert deaths.look(8, 2, {"a": RUNNING}) == []


def test_a_kernel_that_its_user_ended_is_no_news() -> None:
    deaths = Deaths(count=5)
    deaths.look(0, 5, {"a": RUNNING})
    assert deaths.look(1, 5, {"a": KILLED}) == []
    assert deaths.look(9, 5, {}) == []


def test_cgroup_version_1(tmp_path: Path) -> None:
    for name in ("memory", "cpuacct"):
        (tmp_path / name).mkdir()
    (tmp_path / "memory/memory.oom_control").write_text("oom_kill_disable 0\noom_kill 2\n")
    (tmp_path / "memory/memory.limit_in_bytes").write_text("9223372036854771712\n")
    (tmp_path / "cpuacct/cpuacct.usage").write_text("1500000000\n")
    assert cgroup.oom_kills(tmp_path) == 2
    assert cgroup.memory_limit(tmp_path) == 0
    assert cgroup.cpu_seconds(tmp_path) == 1.5


def test_cgroup_version_2(tmp_path: Path) -> None:
    (tmp_path / "memory.events").write_text("low 0\noom 9\noom_kill 3\noom_group_kill 0\n")
    (tmp_path / "memory.max").write_text("314572800\n")
    (tmp_path / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    assert cgroup.oom_kills(tmp_path) == 3
    assert cgroup.memory_limit(tmp_path) == 300 * 2**20
    assert cgroup.cpu_seconds(tmp_path) == 2.5
    (tmp_path / "memory.max").write_text("max\n")
    assert cgroup.memory_limit(tmp_path) == 0


def test_without_cgroups(tmp_path: Path) -> None:
    assert (cgroup.oom_kills(tmp_path), cgroup.memory_limit(tmp_path)) == (0, 0)
    assert cgroup.cpu_seconds(tmp_path) == 0


def test_notices() -> None:
    clock = Clock()
    used = activity(clock)
    environment = {
        "NOTEHIVE_LARGER_SIZES": '[{"key": "m", "title": "M", "limit": "2 CPUs, 4 GB"}]',
        "JUPYTERHUB_BASE_URL": "/",
    }
    notices = Notices(used, Culling(idle=60, notice=20), environment, limit=2**30)
    shown = notices.show(clock.now + 39)
    assert shown["stops_in"] is None
    assert shown["ended"] == []
    assert shown["home"] == "/hub/home"
    assert shown["ask_again_in"] == 4
    notices.add_ended("train.ipynb")
    shown = notices.show(clock.now + 45.2)
    assert shown["stops_in"] == 15
    assert shown["ended"] == [{"name": "train.ipynb"}]
    assert shown["larger_sizes"][0]["title"] == "M"
    assert notices.show(clock.now + 99)["stops_in"] == 0


START = Path(__file__).parents[2] / "notebooks-images/base/start-notebook"


def test_the_exit_code_is_written_twice_and_the_same() -> None:
    """A shell script cannot import the module."""
    from notehive.endings import OUT_OF_MEMORY

    assert f"exit {OUT_OF_MEMORY}  # OUT_OF_MEMORY" in START.read_text()
    assert subprocess.run(["sh", "-n", START], check=False).returncode == 0
