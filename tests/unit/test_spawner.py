"""A user's server as a Swarm service: what the spawner asks the engine for, without an engine."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub.objects import Hub
from tornado.web import HTTPError

from notehive import naming
from notehive.hub.config import HubConfig, HubImage
from notehive.hub.spawner import NotehiveSpawner, update_spawner
from notehive.settings import Services
from tests.unit.conftest import hub_config

TOKEN = "t0ken" * 8
SETTINGS = """
sizes:
  small: {limit: {cpu: 1.5, memory: 1G}, guarantee: {cpu: 0.25, memory: 300M}}
  large: {limit: {cpu: 4, memory: 8G}}
groups: {risk: {sizes: [large]}}
"""


class StandInEngine:
    """A stand-in for docker-py's client: it keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.secrets: list[dict[str, Any]] = []

    async def __call__(self, method: str, *args: Any, **options: Any) -> Any:
        self.asked.append((method, args, options))
        return {"secrets": self.secrets, "create_secret": {"ID": "secret-id"}}.get(method, {})

    def call(self, method: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        [found] = [(args, options) for name, args, options in self.asked if name == method]
        return found


def platform(**changes: Any) -> HubConfig:
    config = hub_config(SETTINGS)
    images = {"datascience": HubImage(title="", description="", reference="r/ds:1")}
    told = {"stack": "nh", "images": images, "constraints": ["node.labels.nh.data == true"]}
    return config.model_copy(update={**told, **changes})


def make(
    user: str = "ana", server: str = "", groups: tuple[str, ...] = (), **changes: Any
) -> NotehiveSpawner:
    """Give a spawner for a stand-in of a user."""
    spawner = NotehiveSpawner(
        platform=platform(**changes),
        hub=Hub(ip="hub", port=8081, base_url="/hub/"),
        orm_spawner=SimpleNamespace(name=server, user_options={}, server=None, state={}),
        user=SimpleNamespace(
            name=user,
            escaped_name=user,
            url=f"/user/{user}/",
            admin=False,
            spawners={},
            settings={},
            orm_user=SimpleNamespace(groups=[SimpleNamespace(name=name) for name in groups]),
        ),
        api_token=TOKEN,
        oauth_client_id="client",
        network_name="nh_users",
    )
    spawner.cmd = ["start-notebook"]
    return spawner


def create(spawner: NotehiveSpawner) -> tuple[StandInEngine, dict[str, Any]]:
    """Let it create its service; give the engine and what it was asked."""
    engine = StandInEngine()
    spawner.docker = engine
    spawner.apply_choice()
    spawner.image = "r/ds:1"
    asyncio.run(spawner.create_object())
    return engine, engine.call("create_service")[1]


@pytest.mark.parametrize("server", ["", "second", "日本 x"])
def test_names(server: str) -> None:
    spawner = make(server=server)
    assert spawner.object_name == spawner.service_name == naming.server_service("nh", "ana", server)


def test_the_token_is_in_a_secret_and_nowhere_else() -> None:
    engine, service = create(make())
    assert TOKEN not in repr(service)
    assert TOKEN not in repr(make().service_env())
    name, content, labels = engine.call("create_secret")[0]
    assert content == TOKEN.encode()
    assert TOKEN not in name
    assert len(name) <= 64
    assert labels["notehive.kind"] == "token"
    [reference] = service["task_template"]["ContainerSpec"]["Secrets"]
    assert reference["SecretName"] == name
    assert reference["File"] == {
        "Name": "jupyterhub-token",
        "UID": "1000",
        "GID": "100",
        "Mode": 0o400,
    }


def test_service_env() -> None:
    env = make().service_env()
    assert not [key for key in env if "TOKEN" in key]
    assert env["JUPYTERHUB_USER"] == "ana"
    assert env["MLFLOW_TRACKING_URI"] == "http://notehive.localhost/mlflow"
    assert "PIP_INDEX_URL" not in env, "an empty one would be an index"
    env = make(services=Services(mlflow=False), pip_index_url="https://i/simple").service_env()
    assert "MLFLOW_TRACKING_URI" not in env
    assert env["PIP_INDEX_URL"] == "https://i/simple"


@pytest.mark.parametrize(
    ("size", "groups", "limits", "reservations"),
    [
        ("small", (), (1.5e9, 1024**3), (0.25e9, 300 * 1024**2)),
        ("large", ("risk",), (4e9, 8 * 1024**3), (0.4e9, 4 * 1024**3)),
    ],
)
def test_resources(
    size: str,
    groups: tuple[str, ...],
    limits: tuple[float, int],
    reservations: tuple[float, int],
) -> None:
    spawner = make(groups=groups)
    spawner.user_options = {"size": size}
    resources = create(spawner)[1]["task_template"]["Resources"]
    assert resources["Limits"] == {
        "NanoCPUs": limits[0],
        "MemoryBytes": limits[1],
        "Pids": 4096,
    }
    assert resources["Reservations"] == {
        "NanoCPUs": reservations[0],
        "MemoryBytes": reservations[1],
    }


def test_mounts_are_the_home_and_shared_memory() -> None:
    """Nothing else of the machine, and the same home in all of a user's servers."""
    for server in ("", "second"):
        _, service = create(make(server=server))
        home, shm = service["task_template"]["ContainerSpec"]["Mounts"]
        assert (home["Type"], home["Source"], home["Target"]) == (
            *("volume", naming.home_volume("nh", "ana")),
            "/home/jovyan",
        )
        assert not home.get("ReadOnly")
        assert home["VolumeOptions"]["Labels"]["notehive.user"] == "ana"
        assert (shm["Type"], shm["Target"]) == ("tmpfs", "/dev/shm")
        assert shm["TmpfsOptions"] == {"SizeBytes": 512 * 1024**2}


def test_the_service() -> None:
    spawner = make(server="second")
    _, service = create(spawner)
    task = service["task_template"]
    container = task["ContainerSpec"]
    assert service["name"] == spawner.service_name
    assert service["labels"] == {
        "notehive.stack": "nh",
        "notehive.kind": "server",
        "notehive.user": "ana",
        "notehive.server": "second",
        "notehive.image": "datascience",
        "notehive.size": "small",
    }
    assert service["endpoint_spec"]["Mode"] == "dnsrr"
    assert "Ports" not in service["endpoint_spec"]
    assert container["Image"] == "r/ds:1"
    assert container["Args"] == ["start-notebook"]
    assert container["Init"] is True
    # What a user's code could use against the node
    assert container["CapabilityDrop"] == ["ALL"]
    assert task["Placement"] == {"Constraints": ["node.labels.nh.data == true"]}
    assert task["RestartPolicy"]["Condition"] == "none"
    assert set(task["LogDriver"]["Options"]) == {"max-size", "max-file"}, "logs fill the disk"
    assert [network["Target"] for network in task["Networks"]] == ["nh_users"]


def test_old_tokens_are_removed_first_and_only_this_servers() -> None:
    spawner = make(server="second")
    engine = StandInEngine()
    engine.secrets = [{"ID": "old", "Spec": {"Name": "old"}}]
    spawner.docker = engine
    spawner.apply_choice()
    asyncio.run(spawner.create_object())
    done = [method for method, _, _ in engine.asked]
    assert done == ["secrets", "remove_secret", "create_secret", "create_service"]
    assert set(engine.call("secrets")[1]["filters"]["label"]) == {
        "notehive.stack=nh",
        "notehive.kind=token",
        "notehive.user=ana",
        "notehive.server=second",
    }


@pytest.mark.parametrize("wish", [{"size": "large"}, {"image": "r/evil:1"}, {"size": ["small"]}])
def test_what_is_not_allowed_is_not_started(wish: dict[str, Any]) -> None:
    spawner = make()
    engine = StandInEngine()
    spawner.docker, spawner.user_options = engine, wish
    with pytest.raises(HTTPError) as raised:
        spawner.apply_choice()
    assert raised.value.status_code == 400
    assert "choose one of" in raised.value.jupyterhub_message
    assert engine.asked == []


def task(state: str, **status: Any) -> dict[str, Any]:
    return {"Status": {"State": state, **status}, "NetworksAttachments": []}


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (None, 0),
        (task("preparing"), None),
        (task("running"), None),
        (task("complete", ContainerStatus={"ExitCode": 0}), 0),
        (
            task("failed", ContainerStatus={"ExitCode": 137}, Err="non-zero exit"),
            "failed: non-zero exit",
        ),
        (task("rejected", Err="no such image"), "rejected: no such image"),
        (task("orphaned"), "orphaned: "),
    ],
)
def test_poll(
    found: dict[str, Any] | None, answer: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawner = make()

    async def get_task() -> dict[str, Any] | None:
        return found

    monkeypatch.setattr(spawner, "get_task", get_task)
    assert asyncio.run(spawner.poll()) == answer


def test_the_address_is_the_tasks_on_the_users_network(monkeypatch: pytest.MonkeyPatch) -> None:
    spawner = make()
    attachments = [
        {"Network": {"Spec": {"Name": name}}, "Addresses": [address]}
        for name, address in (("ingress", "10.0.0.3/24"), ("nh_users", "10.96.0.9/16"))
    ]

    async def get_task() -> dict[str, Any]:
        return {**task("running"), "NetworksAttachments": attachments}

    monkeypatch.setattr(spawner, "get_task", get_task)
    assert asyncio.run(spawner.get_ip_and_port()) == ("10.96.0.9", spawner.port)
    attachments.pop()
    with pytest.raises(RuntimeError, match="has no address on nh_users"):
        asyncio.run(spawner.get_ip_and_port())


def test_a_servers_token_reaches_its_server_and_the_gate_alone() -> None:
    from traitlets.config import Config

    c = Config()
    update_spawner(c, platform())
    assert set(c.Spawner.server_token_scopes) == {
        "users:activity!user",
        "access:servers!server",
        "access:services!service=gate",
    }
    assert c.DockerSpawner.network_name == "nh_users"
