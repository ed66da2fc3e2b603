"""A user's server as a Swarm service: what the spawner asks the engine for, without an engine."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from docker.types import SecretReference
from jupyterhub.objects import Hub, Server
from tornado.web import HTTPError
from traitlets.config import Config

from notehive import naming
from notehive.hub.config import HubConfig, HubFile, HubImage
from notehive.hub.room import Need
from notehive.hub.spawner import NotehiveSpawner, update_spawner
from notehive.hub.watch import Watch
from notehive.settings import Services
from tests.support.engine import StandInEngine, node, task
from tests.unit.conftest import hub_config

TOKEN = "t0ken" * 8
EXIT_0, EXIT_1 = ({"ContainerStatus": {"ExitCode": code}} for code in (0, 1))
SETTINGS = """
sizes:
  small: {limit: {cpu: 1.5, memory: 1G}, guarantee: {cpu: 0.25, memory: 300M}}
  large: {limit: {cpu: 4, memory: 8G}}
  two-gpus: {limit: {cpu: 1, memory: 1G}, gpu: 2, gpu_kind: NVIDIA-GPU}
groups: {risk: {sizes: [large]}}
"""


def platform(**changes: Any) -> HubConfig:
    config = hub_config(SETTINGS)
    images = {"datascience": HubImage(title="", description="", reference="r/ds:1")}
    told = {"stack": "nh", "images": images, "constraints": ["node.labels.nh.data == true"]}
    return config.model_copy(update={**told, **changes})


def make(
    user: str = "ana",
    server: str = "",
    groups: tuple[str, ...] = (),
    config: Any = None,
    **changes: Any,
) -> NotehiveSpawner:
    """Give a spawner for a stand-in of a user."""
    spawner = NotehiveSpawner(
        **({"config": config} if config else {}),
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
    spawner.user_options = {"image": "datascience", "size": "small"}
    return spawner


def speaking_to(spawner: NotehiveSpawner, **answers: Any) -> StandInEngine:
    """Let it speak to a stand-in of the engine."""
    engine = StandInEngine(**answers)
    spawner.watch = Watch(engine, "nh")
    return engine


def create(spawner: NotehiveSpawner) -> tuple[StandInEngine, dict[str, Any]]:
    """Let it create its service; give the engine and what it was asked."""
    engine = speaking_to(spawner)
    spawner.apply_choice()
    spawner.image = "r/ds:1"
    asyncio.run(spawner.create_object())
    return engine, engine.the("create_service")[1]


@pytest.mark.parametrize("server", ["", "second", "日本 x"])
def test_names(server: str) -> None:
    spawner = make(server=server)
    assert spawner.object_name == spawner.service_name == naming.server_service("nh", "ana", server)


def test_the_token_is_in_a_secret_and_nowhere_else() -> None:
    engine, service = create(make())
    assert TOKEN not in repr(service)
    assert TOKEN not in repr(make().service_env())
    name, content, labels = engine.the("create_secret")[0]
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


def test_a_private_authority_is_mounted_over_the_images_bundle() -> None:
    _, service = create(make())
    assert not service["task_template"]["ContainerSpec"]["Configs"]
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    _, service = create(make(trusted=HubFile(id="c1", name="nh_trusted-1", target=bundle)))
    [reference] = service["task_template"]["ContainerSpec"]["Configs"]
    assert (reference["ConfigID"], reference["ConfigName"]) == ("c1", "nh_trusted-1")
    assert reference["File"] == {"Name": bundle, "UID": "0", "GID": "0", "Mode": 0o444}


def test_service_env() -> None:
    env = make().service_env()
    assert not [key for key in env if "TOKEN" in key]
    assert env["JUPYTERHUB_USER"] == "ana"
    assert env["NOTEHIVE_URL"] == "http://notehive.localhost"
    assert env["MLFLOW_TRACKING_URI"] == "http://notehive.localhost/mlflow"
    assert env["NOTEHIVE_PACKAGE_INDEX"] == "http://notehive.localhost/pypi/simple/"
    assert "PIP_INDEX_URL" not in env, "it would go before the site's own"
    off = Services(mlflow=False, pypi=False)
    env = make(services=off, pip_index_url="https://i/simple").service_env()
    assert "MLFLOW_TRACKING_URI" not in env
    assert "NOTEHIVE_PACKAGE_INDEX" not in env
    assert env["PIP_INDEX_URL"] == "https://i/simple"
    assert "PIP_INDEX_URL" not in make(services=off).service_env(), "an empty one would be an index"


@pytest.mark.parametrize(
    ("size", "groups", "limits", "reservations"),
    [
        ("small", (), (1.5e9, 1024**3, 1024), (0.25e9, 300 * 1024**2)),
        ("large", ("risk",), (4e9, 8 * 1024**3, 4096), (0.4e9, 4 * 1024**3)),
    ],
)
def test_resources(
    size: str,
    groups: tuple[str, ...],
    limits: tuple[float, int, int],
    reservations: tuple[float, int],
) -> None:
    spawner = make(groups=groups)
    spawner.user_options = {"size": size}
    resources = create(spawner)[1]["task_template"]["Resources"]
    assert resources["Limits"] == {
        "NanoCPUs": limits[0],
        "MemoryBytes": limits[1],
        "Pids": limits[2],
    }
    assert resources["Reservations"] == {
        "NanoCPUs": reservations[0],
        "MemoryBytes": reservations[1],
    }


def gpus(number: int, kind: str) -> dict[str, Any]:
    return {"DiscreteResourceSpec": {"Kind": kind, "Value": number}}


@pytest.mark.parametrize(
    ("size", "extra", "reserved"),
    [
        ("two-gpus", {}, [gpus(2, "NVIDIA-GPU")]),
        (
            "small",
            {"generic_resources": {"gpu": 1, "NVIDIA-GPU": 2}},
            [gpus(1, "gpu"), gpus(2, "NVIDIA-GPU")],
        ),
    ],
)
def test_gpus_are_asked_for_by_number(
    size: str, extra: dict[str, Any], reserved: list[dict[str, Any]]
) -> None:
    """A reservation has no other form, also where nodes advertise each by its name."""
    spawner = make(config=Config({"SwarmSpawner": {"extra_resources_spec": extra}}))
    spawner.user_options = {"size": size}
    resources = create(spawner)[1]["task_template"]["Resources"]
    assert resources["Reservations"]["GenericResources"] == reserved


def test_what_a_start_waits_for_is_what_was_asked_for() -> None:
    """With what the operator adds, so that the reason why there is no place is the real one."""
    extra = {"mem_reservation": 7, "generic_resources": {"fpga": 1}}
    spawner = make(
        config=Config(
            {
                "SwarmSpawner": {
                    "extra_resources_spec": extra,
                    "extra_placement_spec": {"constraints": ["node.labels.disk == ssd"]},
                }
            }
        )
    )
    create(spawner)
    assert spawner.need == Need(
        0.25, 7, {"fpga": 1}, ["node.labels.nh.data == true", "node.labels.disk == ssd"]
    )


def test_mounts_are_the_home_and_shared_memory() -> None:
    """Nothing else of the machine, and the same home in all of a user's servers."""
    for server in ("", "second"):
        _, service = create(make(server=server))
        home, shm = service["task_template"]["ContainerSpec"]["Mounts"]
        assert (home["Type"], home["Source"], home["Target"]) == (
            "bind",
            f"/srv/{naming.home('ana')}",
            "/home/jovyan",
        )
        assert not home.get("ReadOnly")
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
    # Its entrypoint is not the image's to choose: it waits for the walls.
    assert container["Command"] == [
        "/usr/local/bin/walled",
        "/usr/local/bin/docker-entrypoint",
    ]
    assert container["Args"] == ["start-notebook"]
    assert container["Init"] is True
    # What a user's code could use against the node
    assert container["CapabilityDrop"] == ["ALL"]
    assert container["Sysctls"] == {
        "net.ipv4.ip_unprivileged_port_start": "1024",
        "net.ipv4.ip_local_reserved_ports": "8888",  # by which walls know it
    }
    assert task["Placement"] == {"Constraints": ["node.labels.nh.data == true"]}
    assert task["RestartPolicy"]["Condition"] == "none"
    assert set(task["LogDriver"]["Options"]) == {"max-size", "max-file"}, "logs fill the disk"
    assert [network["Target"] for network in task["Networks"]] == ["nh_users"]


def test_what_an_earlier_server_left_is_removed_and_only_that() -> None:
    spawner = make(server="second")
    old = {"ID": "old", "Spec": {"Name": "old"}}
    engine = speaking_to(spawner, secrets=[old])
    asyncio.run(spawner.remove_object())
    assert engine.methods == ["remove_service", "secrets", "remove_secret"]
    assert engine.the("remove_service")[0] == (spawner.object_name,)
    assert set(engine.the("secrets")[1]["filters"]["label"]) == {
        "notehive.stack=nh",
        "notehive.kind=token",
        "notehive.user=ana",
        "notehive.server=second",
    }


@pytest.mark.parametrize("wish", [{"size": "large"}, {"image": "r/evil:1"}, {"size": ["small"]}])
def test_what_is_not_allowed_is_not_started(wish: dict[str, Any]) -> None:
    spawner = make()
    engine = speaking_to(spawner)
    spawner.user_options = wish
    with pytest.raises(HTTPError) as raised:
        spawner.apply_choice()
    assert raised.value.status_code == 400
    assert "choose one of" in raised.value.jupyterhub_message
    assert engine.asked == []


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        ([], "outside the hub"),
        ([task("preparing")], None),
        ([task("new"), task("failed", DesiredState="shutdown")], None),
        ([task("running")], None),
        ([task("complete", DesiredState="shutdown", status=EXIT_0)], 0),
        ([task("failed", DesiredState="shutdown", status=EXIT_1)], "exit code 1"),
        ([task("rejected", DesiredState="shutdown", status={"Err": "no disk"})], "no disk"),
        ([task("rejected", DesiredState="shutdown", status={"Err": "why", **EXIT_0})], "why"),
        ([task("running", DesiredState="shutdown")], "node-1, which is down"),
        ([task("orphaned", DesiredState="shutdown")], "orphaned"),
        ([task("running", ServiceID="another")], "outside the hub"),
    ],
)
def test_poll(found: list[dict[str, Any]], answer: object) -> None:
    spawner = make()
    speaking_to(spawner, tasks=found, nodes=[node("node-1", state="down")])
    spawner.object_id = "service-id"
    told = asyncio.run(spawner.poll())
    if isinstance(answer, str):
        assert answer in str(told)
        assert told == spawner.ended
    else:
        assert told == answer
        assert spawner.ended == ""


@pytest.mark.parametrize("failing", ["tasks", "nodes"])
def test_an_engine_that_fails_ends_nobodys_server(failing: str) -> None:
    spawner = make()
    speaking_to(spawner, **{failing: OSError("no engine")})
    spawner.object_id = "service-id"
    assert asyncio.run(spawner.poll()) is None
    assert spawner.ended == ""


def test_a_start_that_the_hub_did_not_live_to_see_is_over() -> None:
    spawner = make()
    engine = speaking_to(spawner)
    assert asyncio.run(spawner.poll()) == 0
    assert engine.asked == []


def test_a_server_that_an_operator_moved_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    spawner = make()
    attachment = {"Network": {"Spec": {"Name": "nh_users"}}, "Addresses": ["10.96.0.9/16"]}
    speaking_to(spawner, tasks=[task(NetworksAttachments=[attachment])])
    spawner.object_id, server = "service-id", Server(ip="10.96.0.4", port=8888)
    monkeypatch.setattr(NotehiveSpawner, "server", server)
    assert asyncio.run(spawner.poll()) is None
    assert server.ip == "10.96.0.9"


def test_why_it_ended_outlives_it() -> None:
    """The hub makes a new spawner object from what its database keeps."""
    spawner = make()
    spawner.object_id, spawner.ended = "service-id", "It was killed."
    assert spawner.get_state()["object_id"] == "service-id"
    spawner.clear_state()
    state = spawner.get_state()
    assert "object_id" not in state
    after = make()
    after.load_state(state)
    assert after.ended == "It was killed."


OPTIONS = {
    "mem_limit": "4G",
    "cpu_limit": 2.5,
    "volumes": {"data": "/data", "/srv/ref": {"bind": "/ref", "mode": "ro"}},
    "mounts": [{"type": "volume", "source": "m-{username}", "target": "/more"}],
    "volume_driver": "local",
    "volume_driver_options": {"type": "nfs"},
    "extra_placement_spec": {"constraints": ["node.labels.disk == ssd"], "preferences": None},
    "extra_container_spec": {
        "hostname": "lab",
        "labels": {"team": "risk", "notehive.stack": "other"},
        "secrets": [SecretReference("s-id", "vault")],
    },
    "extra_resources_spec": {"generic_resources": {"gpu": 1}},
    "extra_task_spec": {"force_update": 3, "networks": ["data"]},
    "extra_create_kwargs": {"mode": "replicated", "labels": {"team": "{username}"}},
    "environment": {"COLOUR": "blue", "MLFLOW_TRACKING_URI": "https://mlflow.example.com"},
}


def test_dockerspawners_own_options_work() -> None:
    """As an operator sets them: `c.SwarmSpawner.mem_limit` and its like."""
    spawner = make(config=Config({"SwarmSpawner": OPTIONS}))
    _, service = create(spawner)
    task_template = service["task_template"]
    limits, reservations = (task_template["Resources"][k] for k in ("Limits", "Reservations"))
    assert (limits["MemoryBytes"], limits["NanoCPUs"]) == (4 * 2**30, 25 * 10**8)
    assert reservations["MemoryBytes"] == 300 * 2**20, "the size's, which is not larger"
    assert reservations["GenericResources"]
    assert task_template["Placement"]["Constraints"] == [
        "node.labels.nh.data == true",
        "node.labels.disk == ssd",
    ]
    assert task_template["ForceUpdate"] == 3
    container = task_template["ContainerSpec"]
    assert container["Hostname"] == "lab"
    assert "COLOUR=blue" in container["Env"]
    assert "MLFLOW_TRACKING_URI=https://mlflow.example.com" in container["Env"]
    assert container["CapabilityDrop"] == ["ALL"], "what is not named stays"
    assert service["mode"] == "replicated"
    # What we find servers by, and what they do not work without, stays too.
    assert container["Labels"] == {**spawner.labels, "team": "risk"}
    assert service["labels"] == {**spawner.labels, "team": "ana"}
    assert [each["File"]["Name"] for each in container["Secrets"]] == ["jupyterhub-token", "vault"]
    assert [each["Target"] for each in task_template["Networks"]] == ["nh_users", "data"]
    mounts = {m["Target"]: m for m in container["Mounts"]}
    assert set(mounts) == {"/home/jovyan", "/dev/shm", "/data", "/ref", "/more"}
    assert (mounts["/data"]["Type"], mounts["/ref"]["Type"]) == ("volume", "bind")
    assert mounts["/data"]["VolumeOptions"]["DriverConfig"]["Options"] == {"type": "nfs"}
    assert mounts["/ref"]["ReadOnly"]
    assert mounts["/more"]["Source"] == "m-ana"
    assert mounts["/dev/shm"]["TmpfsOptions"] == {"SizeBytes": 2 * 2**30}


def test_a_servers_token_reaches_its_server_and_the_gate_alone() -> None:
    c = Config()
    update_spawner(c, platform())
    assert set(c.Spawner.server_token_scopes) == {
        "users:activity!user",
        "access:servers!server",
        "access:services!service=gate",
    }
    assert c.DockerSpawner.network_name == "nh_users"
