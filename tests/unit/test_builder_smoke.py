"""The trial of an image as a Swarm service: what it is, and what is said of its end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession, UnixConnector, web

from notehive.builder import smoke_service
from notehive.builder.config import BuilderConfig, JobSize, NotebookImage
from notehive.builder.smoke import Smokes, SmokeWatch
from notehive.builder.turns import Turns
from notehive.builder.wanted import WantedSmoke
from notehive.errors import BadInput, NotehiveError
from notehive.hub.config import HubFile
from notehive.wall import MARK
from tests.support.engine import StandInEngine, node, task

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WANTED = WantedSmoke(group="lab", name="churn", commit=COMMIT)
ID = f"sha256:{'a' * 64}"
SMALL = JobSize(cpu=1, memory=2**30, pids=500, groups=[])
CONFIG = BuilderConfig(
    stack="nh",
    registry_port=5000,
    push_port=5001,
    images={"base": NotebookImage(reference="base:1", groups=[])},
    sizes={
        "small": SMALL,
        "large": JobSize(cpu=8, memory=2**34, pids=9000, groups=["risk"]),
        "tiny": JobSize(cpu=0.5, memory=2**29, pids=300, groups=["risk"]),
    },
    constraint="node.labels.notehive.nh.data == true",
)
MODEL = "name: churn\nimage: base\nsize: small\n"


def built(**changes: Any) -> dict[str, Any]:
    config = CONFIG.model_copy(update=changes)
    return smoke_service.build(config, WANTED, "model", ID, SMALL, 1800)


def test_the_whole_service() -> None:
    """What it may reach and use stands here and nowhere else, so it is written out."""
    told = {
        "notehive.stack": "nh",
        "notehive.kind": "smoke",
        "notehive.group": "lab",
        "notehive.model": "churn",
    }
    request = built()
    name = request.pop("name")
    assert name.startswith("nh-smoke-")
    assert request == {
        "labels": told,
        "endpoint_spec": {"Mode": "dnsrr"},
        "task_template": {
            "ContainerSpec": {
                "Image": ID,
                "Command": ["/usr/local/bin/walled", "/usr/local/bin/docker-entrypoint"],
                "Args": ["python3", "-P", "-m", "notehive.models.smoke"],
                "Env": [
                    "NOTEHIVE_GROUP=lab",
                    f"NOTEHIVE_COMMIT={COMMIT}",
                    f"NOTEHIVE_IMAGE=127.0.0.1:5000/models/lab/churn:{COMMIT}",
                    "NOTEHIVE_SMOKE_SECONDS=1800",
                ],
                "Labels": told,
                "Mounts": [
                    {
                        "Type": "tmpfs",
                        "Source": None,
                        "Target": "/dev/shm",
                        "ReadOnly": False,
                        "TmpfsOptions": {"SizeBytes": 2**29},
                    }
                ],
                "Secrets": [],
                "Configs": [],
                "Init": True,
                "CapabilityDrop": ["ALL"],
                "Sysctls": {"net.ipv4.ip_unprivileged_port_start": "1024", MARK[0]: MARK[1]},
            },
            "Resources": {
                "Limits": {"NanoCPUs": 1_000_000_000, "MemoryBytes": 2**30, "Pids": 500},
                "Reservations": {"NanoCPUs": 0, "MemoryBytes": 0},
            },
            "Placement": {"Constraints": ["node.labels.notehive.nh.data == true"]},
            "RestartPolicy": {"Condition": "none", "Delay": 0, "MaxAttempts": 0, "Window": 0},
            "LogDriver": {"Name": "json-file", "Options": {"max-size": "10m", "max-file": "3"}},
            "Networks": [{"Target": "nh_users", "Aliases": None, "DriverOpts": None}],
        },
    }
    assert built()["name"] != name


def test_the_sites_own_authority_is_trusted() -> None:
    trusted = HubFile(id="c" * 25, name="nh_trusted-1", target="/etc/ssl/certs/ca.crt")
    [config] = built(trusted=trusted)["task_template"]["ContainerSpec"]["Configs"]
    assert config["File"]["Name"] == "/etc/ssl/certs/ca.crt"


class Builds:
    """Stands in for the builds: a commit's files, and the image of it, if there is one."""

    config = CONFIG
    repositories = Path("/srv/git")

    def __init__(self, root: Path, model: str = MODEL, image: str = ID) -> None:
        self.root, self.model, self._image = root, model, image
        self.engine = self.source = self

    async def image(self, name: str) -> dict[str, str] | None:
        assert name == f"127.0.0.1:5000/models/lab/churn:{COMMIT}"
        return {"Id": self._image} if self._image else None

    @asynccontextmanager
    async def directory(self) -> AsyncIterator[Path]:
        yield self.root

    def export(self, repository: Path, commit: str, to: Path) -> None:
        assert (repository, commit) == (Path("/srv/git/lab/churn.git"), COMMIT)
        to.mkdir(exist_ok=True)
        (to / "model.yml").write_text(self.model)


def ended(state: str, code: int | None = None) -> dict[str, Any]:
    return task(state, status={} if code is None else {"ContainerStatus": {"ExitCode": code}})


@asynccontextmanager
async def log(directory: Path, lines: list[str]) -> AsyncIterator[ClientSession]:
    """A client of a socket at which the log of the service is, as the engine gives it."""

    async def answer(request: web.BaseRequest) -> web.Response:
        assert request.path == "/services/service-id/logs"
        raw = [f"{line}\n".encode() for line in lines]
        frames = [bytes([1, 0, 0, 0]) + len(each).to_bytes(4, "big") + each for each in raw]
        return web.Response(body=b"".join(frames))

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    place = str(directory / "engine")
    await web.UnixSite(runner, place).start()
    async with ClientSession(connector=UnixConnector(place)) as session:
        yield session
    await runner.cleanup()


def smoke(
    tmp_path: Path,
    engine: StandInEngine,
    builds: Builds | None = None,
    lines: list[str] | None = None,
    during: Callable[["asyncio.Task[Any]"], Any] = lambda task: None,
) -> list[str]:
    """Have an image tried; give what is said."""
    said: list[str] = []

    async def go() -> None:
        async with log(tmp_path, lines or []) as session:
            stand_in: Any = builds or Builds(tmp_path)
            smokes = Smokes(stand_in, SmokeWatch(engine, "nh"), session, Turns(1, 1))
            trying = asyncio.create_task(smokes.smoke(WANTED, said.append))
            during(trying)
            assert await trying == {}

    asyncio.run(go())
    return said


def test_it_passes(tmp_path: Path) -> None:
    engine = StandInEngine(tasks=[ended("complete", 0)], nodes=[node()])
    lines = ["train / train.ipynb", "cell 1 of 1: 0.1 s", "tests: there are none"]
    assert smoke(tmp_path, engine, lines=lines) == lines
    [request] = [options for name, _, options in engine.asked if name == "create_service"]
    assert request["task_template"]["ContainerSpec"]["Image"] == ID
    assert engine.the("remove_service") == ((request["name"],), {})


@pytest.mark.parametrize(
    ("last", "lines", "kind", "why"),
    [
        (
            ended("failed", 1),
            ["cell 1 of 2: 0.1 s", "train.ipynb, cell 2: ValueError: no"],
            BadInput,
            r"^train\.ipynb, cell 2: ValueError: no$",
        ),
        (ended("failed", 137), [], BadInput, "out of memory: it may use 1 GB"),
        (ended("failed", 87), [], NotehiveError, "node-1 has no wall"),
        (ended("rejected"), [], NotehiveError, "node-1 could not start"),
    ],
)
def test_it_fails(
    tmp_path: Path, last: Any, lines: list[str], kind: type[NotehiveError], why: str
) -> None:
    """And whose fault that is; nothing is left of it."""
    engine = StandInEngine(tasks=[last], nodes=[node()])
    with pytest.raises(kind, match=why) as failed:
        smoke(tmp_path, engine, lines=lines)
    assert type(failed.value) is kind
    assert engine.methods[-1] == "remove_service"


def test_the_engine_makes_no_service(tmp_path: Path) -> None:
    engine = StandInEngine(create_service=OSError("gone"))
    with pytest.raises(NotehiveError, match=r"^Docker engine: gone$"):
        smoke(tmp_path, engine)


def test_who_waits_for_it_goes_away(tmp_path: Path) -> None:
    engine = StandInEngine(tasks=[ended("running")], nodes=[node()])
    made = engine.answers["create_service"]

    def cancel(trying: "asyncio.Task[Any]") -> None:
        """While the service is on its way, which is when its name is not known to anybody else."""
        engine.answers["create_service"] = lambda **_: trying.cancel() and made

    with pytest.raises(asyncio.CancelledError):
        smoke(tmp_path, engine, during=cancel)
    assert engine.methods == ["create_service", "remove_service"]


def test_there_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no image; build it first"):
        smoke(tmp_path, StandInEngine(), Builds(tmp_path, image=""))


def test_a_size_that_the_group_has_not(tmp_path: Path) -> None:
    builds = Builds(tmp_path, MODEL.replace("small", "large"))
    with pytest.raises(BadInput) as failed:
        smoke(tmp_path, StandInEngine(), builds)
    assert str(failed.value) == (
        "model.yml: size: large: there is none for the group lab; there are small"
    )


def test_a_notebook_image_is_started_in_the_smallest_size(tmp_path: Path) -> None:
    engine = StandInEngine(tasks=[ended("complete", 0)], nodes=[node()])
    smoke(tmp_path, engine, Builds(tmp_path, "name: churn\nimage: base\nkind: image\n"))
    [request] = [options for name, _, options in engine.asked if name == "create_service"]
    template = request["task_template"]
    assert template["ContainerSpec"]["Args"][-1] == "notehive.models.smoke.server"
    assert template["Resources"]["Limits"]["MemoryBytes"] == 2**30
    assert CONFIG.smallest_size("risk").memory == 2**29


def test_what_an_earlier_builder_left_is_removed() -> None:
    engine = StandInEngine(services=[{"ID": "one"}, {"ID": "two"}])
    stand_in: Any = SimpleNamespace(config=CONFIG)
    unused: Any = None
    smokes = Smokes(stand_in, SmokeWatch(engine, "nh"), unused, Turns(1, 1))
    asyncio.run(smokes.remove_left())
    ours = {"label": ["notehive.stack=nh", "notehive.kind=smoke"]}
    assert engine.the("services") == ((), {"filters": ours})
    removed = [args for name, args, _ in engine.asked if name == "remove_service"]
    assert removed == [("one",), ("two",)]
