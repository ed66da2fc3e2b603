"""Bodies of services for the guard: legitimate ones, ways to spoil them, and a judge.

The judge is independent of the guard: it reads a body as the engine does and says what is wrong
with it in terms of what somebody could do with the service, by values that are written out here.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from docker.types import ConfigReference, Mount, NetworkAttachmentConfig, SecretReference

from notehive import naming
from notehive.hub import service, storage
from notehive.hub.config import HubConfig, HubFile, HubStorage
from tests.unit.conftest import hub_config

LONG_S, KELVIN = "\u017f", "\u212a"  # letters that Go takes for s and k

Body = dict[str, Any]
Path = tuple[str | int, ...]

SETTINGS = """
name: nh
sizes:
  small: {limit: {cpu: 1, memory: 1G}}
  large: {limit: {cpu: 4, memory: 8G}, gpu: 2, gpu_kind: NVIDIA-GPU}
groups: {risk: {}, open: {shared: everyone}, closed: {shared: none}}
images: {base: {image: r/base}, ds: {image: r/ds}}
own_config:
  mounts: [/srv/reference, "/srv/scratch/*:rw", "scratch-*:rw"]
  secrets: [licence-*]
  networks: [spark]
"""
NFS = "addr=10.0.0.7,port=2049,nodev,nosuid,vers=4.2,hard"
TOKEN, LICENCE, OTHERS, PLATFORMS = ("a" * 25, "b" * 25, "c" * 25, "d" * 25)  # ids of secrets
CONFIG, CA_FILE = "e" * 25, "/etc/ssl/certs/ca-certificates.crt"
LABELS = ("notehive.stack", "notehive.kind", "notehive.user", "notehive.server")


def config(*, nfs: bool = False) -> HubConfig:
    """What the guard is told."""
    told = hub_config(SETTINGS)
    storage = HubStorage(root="/srv/homes", nfs=NFS if nfs else "", quota=0)
    trusted = HubFile(id=CONFIG, name="nh_trusted-1", target=CA_FILE)
    return told.model_copy(
        update={
            "storage": storage,
            "constraints": ["node.labels.nh == true"],
            "trusted": trusted,
        }
    )


def secrets(user: str, server: str) -> dict[str, Body]:
    """The Swarm's secrets, by id, as the engine describes them."""

    def labels(kind: str, user: str) -> dict[str, str]:
        return dict(zip(LABELS, ("nh", kind, user, server), strict=True))

    described = {
        TOKEN: ("own", labels("token", user)),
        LICENCE: ("licence-sas", {}),
        OTHERS: ("others", labels("token", "somebody-else")),
        PLATFORMS: ("nh_postgres-hub", {"notehive.stack": "nh"}),
    }
    return {
        key: {"ID": key, "Spec": {"Name": name, "Labels": labels}}
        for key, (name, labels) in described.items()
    }


def as_sent(**request: Any) -> Body:
    """The body that docker-py makes of the arguments of ``create_service``."""
    body = {
        "Name": request["name"],
        "Labels": request["labels"],
        "TaskTemplate": request["task_template"],
        "Mode": request.get("mode"),
        "Networks": None,
        "EndpointSpec": request["endpoint_spec"],
    }
    return dict(json.loads(json.dumps(body)))


def server(
    told: HubConfig,
    *,
    user: str = "ana",
    name: str = "",
    size: str = "small",
    groups: frozenset[str] = frozenset(),
    extra: service.Extra = service.Extra(),  # noqa: B008
    mounts: tuple[Mount, ...] = (),
    more: tuple[SecretReference, ...] = (),
) -> Body:
    """The body of a user's server, as the hub asks for it."""
    chosen = told.sizes[size]
    labels = dict(zip(LABELS, ("nh", "server", user, name), strict=True))
    labels |= {"notehive.image": "base", "notehive.size": size}
    own = SecretReference(
        TOKEN, "own", filename="jupyterhub-token", uid="1000", gid="100", mode=256
    )
    shm = Mount("/dev/shm", None, type="tmpfs", tmpfs_size=2**29)
    return as_sent(
        **service.build(
            name=naming.server_service("nh", user, name),
            image="base",
            args=["start-notebook"],
            env={"JUPYTERHUB_USER": user, "LANG": "C.UTF-8"},
            labels=labels,
            mounts=[*storage.mounts(told, user, groups), shm, *mounts],
            secrets=[own, *more],
            configs=[ConfigReference(CONFIG, "nh_trusted-1", filename=CA_FILE, mode=0o444)],
            amounts=service.Amounts(
                cpu=chosen.limit.cpu,
                memory=chosen.limit.memory,
                pids=chosen.pids,
                reserved_cpu=chosen.reserved.cpu,
                reserved_memory=chosen.reserved.memory,
                generic=chosen.generic_resources,
            ),
            network="nh_users",
            constraints=told.constraints,
            extra=extra,
        )
    )


def legitimate() -> Iterator[tuple[HubConfig, str, str, Body]]:
    """Each kind of server: what the guard is told, its user and name, its body."""
    volume = Mount("/scratch", "scratch-ana", type="volume")
    reference = Mount("/reference", "/srv/reference", type="bind", read_only=True)
    own_place = Mount("/work", "/srv/scratch/ana", type="bind")
    memory = Mount("/quick", "", type="tmpfs")
    extra = service.Extra(
        container={"hostname": "lab", "labels": {"team": "risk"}, "workdir": "/home/jovyan"},
        resources={"mem_limit": 2**29, "mem_reservation": 2**28},
        placement={
            "constraints": ["node.labels.disk == ssd"],
            "preferences": [("spread", "node.labels.rack")],
        },
        task={"networks": [NetworkAttachmentConfig("spark")]},
        create={"labels": {"owner": "ana"}},
    )
    for nfs in (False, True):
        told = config(nfs=nfs)
        for user in ("ana", "Ana.B", "żółw", "x" * 64, "a+b@example.org"):
            for name in ("", "gpu", "a b/c"):
                yield told, user, name, server(told, user=user, name=name)
        for groups in ({"risk"}, {"open", "risk"}, set()):
            yield told, "ana", "", server(told, size="large", groups=frozenset(groups))
        mine = (SecretReference(LICENCE, "licence-sas"),)
        mounts = (volume, reference, own_place, memory)
        yield told, "ana", "", server(told, extra=extra, mounts=mounts, more=mine)


# Spoiling


def places(value: Any, at: Path = ()) -> Iterator[Path]:
    """Every place in a body."""
    yield at
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*at, key))


def spoiled(body: Any, at: Path, value: Any) -> Any:
    """The body with another value at a place, which may be new; the body itself stays."""
    if not at:
        return value
    key, *rest = at
    changed = copy.copy(body)
    changed[key] = spoiled(body[key], tuple(rest), value) if rest else value
    return changed


CONTAINER: Path = ("TaskTemplate", "ContainerSpec")
TASK: Path = ("TaskTemplate",)


def mount(source: Any, **more: Any) -> Body:
    """A mount of a host's directory, or another."""
    return {"Type": "bind", "Target": "/x", "Source": source, "ReadOnly": True, **more}


def volume(name: str, **options: Any) -> Body:
    """A mount of a volume with options."""
    driver = {"DriverConfig": {"Name": "local", "Options": options}} if options else None
    return mount(name, Type="volume", **({"VolumeOptions": driver} if driver else {}))


def secret(identity: str, name: str, **more: Any) -> Body:
    """A reference to a secret."""
    file = {"Name": "s", "UID": "0", "GID": "0", "Mode": 292}
    return {"SecretID": identity, "SecretName": name, "File": file, **more}


# What somebody who has the hub would like to have: each is put into its place.
ATTACKS: list[tuple[Path, Any]] = [
    (("Name",), "nh_postgres"),
    (("Name",), "hub"),
    (("Labels", "notehive.kind"), "platform"),
    (("Labels", "notehive.stack"), "other"),
    (("Labels", "com.docker.stack.namespace"), "nh"),
    (("Labels", "Com.Docker.stack.namespace"), "nh"),
    (("Labels", "notehive.data"), "true"),
    (("Labels", "notehive.user"), "bob"),
    (("Mode",), {"Global": {}}),
    (("Mode",), {"Replicated": {"Replicas": 1000}}),
    (("Mode",), {"ReplicatedJob": {}}),
    (("Networks",), [{"Target": "host"}]),
    (("EndpointSpec", "Ports"), [{"TargetPort": 22, "PublishedPort": 22}]),
    (("EndpointSpec", "Mode"), "vip"),
    ((*TASK, "Networks"), [{"Target": "host"}]),
    ((*TASK, "Networks"), [{"Target": "nh_users"}, {"Target": "nh_data"}]),
    ((*TASK, "Networks"), [{"Target": "nh_control"}]),
    ((*TASK, "Networks"), [{"Target": "spark"}]),
    ((*TASK, "Networks"), [{"Target": "nh_users"}, {"Target": "spark", "Aliases": ["hub"]}]),
    ((*TASK, "Networks"), []),
    ((*TASK, "Networks", 0, "Aliases"), ["hub"]),
    ((*TASK, "Networks", 0, "DriverOpts"), {"x": "y"}),
    ((*TASK, "Runtime"), "plugin"),
    ((*TASK, "PluginSpec"), {"Name": "x", "Remote": "y", "Privileges": []}),
    ((*TASK, "NetworkAttachmentSpec"), {"ContainerID": "x"}),
    ((*TASK, "RestartPolicy", "Condition"), "any"),
    ((*TASK, "Placement"), {}),
    ((*TASK, "Placement", "Constraints"), ["node.role == manager"]),
    ((*TASK, "LogDriver"), {"Name": "syslog", "Options": {"syslog-address": "tcp://x:1"}}),
    ((*TASK, "LogDriver", "Options", "max-size"), "-1"),
    ((*TASK, "LogDriver"), None),
    ((*TASK, "Resources"), {}),
    ((*TASK, "Resources", "Limits", "Pids"), 0),
    ((*TASK, "Resources", "Limits", "Pids"), 10**9),
    ((*TASK, "Resources", "Limits", "MemoryBytes"), 0),
    ((*TASK, "Resources", "Limits", "MemoryBytes"), -1),
    ((*TASK, "Resources", "Limits", "MemoryBytes"), 2**40),
    ((*TASK, "Resources", "Limits", "NanoCPUs"), 10**12),
    ((*TASK, "Resources", "Reservations", "MemoryBytes"), 2**40),
    (
        (*TASK, "Resources", "Reservations", "GenericResources"),
        [{"DiscreteResourceSpec": {"Kind": "NVIDIA-GPU", "Value": 2}}] * 2,
    ),
    (
        (*TASK, "Resources", "Reservations", "GenericResources"),
        [{"NamedResourceSpec": {"Kind": "NVIDIA-GPU", "Value": "0"}}],
    ),
    ((*CONTAINER, "Image"), "evil/image"),
    ((*CONTAINER, "Image"), "base:latest"),
    ((*CONTAINER, "Image"), "r/base@sha256:" + "0" * 64),
    ((*CONTAINER, "User"), "root"),
    ((*CONTAINER, "User"), "0"),
    ((*CONTAINER, "User"), "1000:0"),
    ((*CONTAINER, "Groups"), ["999"]),
    ((*CONTAINER, "Privileges"), {"SELinuxContext": {"Disable": True}}),
    ((*CONTAINER, "Privileges"), {"Seccomp": {"Mode": "unconfined"}}),
    ((*CONTAINER, "CapabilityAdd"), ["CAP_SYS_ADMIN"]),
    ((*CONTAINER, "CapabilityDrop"), []),
    ((*CONTAINER, "CapabilityDrop"), None),
    ((*CONTAINER, "CapabilityDrop"), ["CAP_CHOWN"]),
    ((*CONTAINER, "Sysctls"), {}),
    ((*CONTAINER, "Sysctls"), None),
    ((*CONTAINER, "Sysctls", "net.ipv4.ip_unprivileged_port_start"), "0"),
    ((*CONTAINER, "Sysctls", "kernel.shm_rmid_forced"), "1"),
    ((*CONTAINER, "Ulimits"), [{"Name": "nofile", "Soft": 10**9, "Hard": 10**9}]),
    ((*CONTAINER, "Hosts"), ["10.0.0.1 hub"]),
    ((*CONTAINER, "DNSConfig"), {"Nameservers": ["10.0.0.1"]}),
    ((*CONTAINER, "Isolation"), "process"),
    ((*CONTAINER, "Configs"), [{"ConfigID": "x", "ConfigName": "nh_hub"}]),
    ((*CONTAINER, "Configs", 0, "ConfigID"), OTHERS),
    ((*CONTAINER, "Configs", 0, "File", "Name"), "/usr/local/bin/walled"),
    ((*CONTAINER, "Command"), None),
    ((*CONTAINER, "Command"), ["/usr/local/bin/docker-entrypoint"]),
    ((*CONTAINER, "Sysctls", "net.ipv4.ip_local_reserved_ports"), ""),
    ((*CONTAINER, "Labels", "com.docker.swarm.service.name"), "nh_hub"),
    ((*CONTAINER, "Labels", "notehive.user"), "bob"),
    ((*CONTAINER, "Mounts"), [mount("/")]),
    ((*CONTAINER, "Mounts"), [mount("/var/run/docker.sock")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/homes/homes/bob-0123456789")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/homes")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/homes/shared")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/homes/shared/closed")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/homes/shared/risk/../../..")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/homes/shared/risk/sub", Target="/shared/risk")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/reference", ReadOnly=False)]),
    ((*CONTAINER, "Mounts"), [mount("/srv/reference/..")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/reference/../..")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/reference/inner")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/reference2")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/scratch/..")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/scratch/.")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/scratch/")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/scratch/ana/link")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/scratch/../homes")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/scratch/ana", BindOptions={"Propagation": "rshared"})]),
    ((*CONTAINER, "Mounts"), [mount("/srv/scratch/ana", Type="volume")]),
    ((*CONTAINER, "Mounts"), [mount("/srv/scratch/ana", Type="npipe")]),
    ((*CONTAINER, "Mounts"), [mount("scratch-ana", Type="bind")]),
    ((*CONTAINER, "Mounts"), [volume("")]),
    ((*CONTAINER, "Mounts"), [volume("nh_postgres")]),
    ((*CONTAINER, "Mounts"), [volume("nh_storage")]),
    ((*CONTAINER, "Mounts"), [volume("scratch-x/../nh_postgres")]),
    ((*CONTAINER, "Mounts"), [volume("scratch-ana", type="none", o="bind", device="/")]),
    ((*CONTAINER, "Mounts"), [volume("scratch-ana", type="nfs", o=NFS, device=":/srv/homes")]),
    ((*CONTAINER, "Mounts"), [volume("nh-homes-x", type="nfs", o=NFS, device=":/srv/homes")]),
    ((*CONTAINER, "Mounts"), [mount("/", Type="tmpfs")]),
    ((*CONTAINER, "Mounts"), [mount(None, Type="tmpfs", Target="/a/../../b")]),
    ((*CONTAINER, "Secrets"), [secret(OTHERS, "others")]),
    ((*CONTAINER, "Secrets"), [secret(PLATFORMS, "nh_postgres-hub")]),
    ((*CONTAINER, "Secrets"), [secret(PLATFORMS, "own")]),
    ((*CONTAINER, "Secrets"), [secret(PLATFORMS, "licence-x")]),
    ((*CONTAINER, "Secrets"), [secret("../services/x", "own")]),
    ((*CONTAINER, "Secrets"), [secret(TOKEN[:10], "own")]),
    ((*CONTAINER, "Secrets"), [secret(TOKEN, "own", File={"Name": "/etc/passwd"})]),
    ((*CONTAINER, "Secrets"), [secret(TOKEN, "own", Config={"x": 1})]),
]
# What an operator may want of servers, and what gives nobody more than the hub has.
HARMLESS: list[tuple[Path, Any]] = [
    (("Labels", "team"), "risk"),
    (("Mode",), {"Replicated": {"Replicas": 1}}),
    ((*TASK, "Runtime"), "container"),
    ((*TASK, "ForceUpdate"), 1),
    ((*TASK, "Placement", "MaxReplicas"), 1),
    ((*TASK, "Placement", "Platforms"), [{"Architecture": "x86_64", "OS": "linux"}]),
    ((*TASK, "Placement", "Preferences"), [{"Spread": {"SpreadDescriptor": "node.labels.rack"}}]),
    ((*TASK, "Resources", "Limits", "MemoryBytes"), 2**29),
    ((*TASK, "Resources", "Limits", "NanoCPUs"), 4 * 10**9),
    ((*TASK, "Resources", "Reservations"), None),
    ((*TASK, "LogDriver", "Options", "max-size"), "99m"),
    ((*CONTAINER, "Args"), ["start-notebook", "--debug"]),
    ((*CONTAINER, "Dir"), "/home/jovyan"),
    ((*CONTAINER, "Env"), ["HTTPS_PROXY=http://proxy:3128", "ODD=\u017c\n"]),
    ((*CONTAINER, "Healthcheck"), {"Test": ["NONE"]}),
    ((*CONTAINER, "Hostname"), "lab"),
    ((*CONTAINER, "Image"), "ds"),
    ((*CONTAINER, "Init"), False),
    ((*CONTAINER, "Labels", "team"), "risk"),
    ((*CONTAINER, "Mounts"), []),
    ((*CONTAINER, "Mounts"), [mount("/srv/reference"), mount("/srv/scratch/x", ReadOnly=False)]),
    ((*CONTAINER, "Mounts"), [volume("scratch-x"), mount("", Type="tmpfs", Target="/a b")]),
    ((*CONTAINER, "Secrets"), [secret(LICENCE, "licence-sas")]),
    ((*CONTAINER, "StopGracePeriod"), 10**10),
    ((*CONTAINER, "TTY"), True),
    ((*CONTAINER, "User"), "1000:100"),
]
# What is wrong nearly anywhere, or at least another thing.
JUNK: list[Any] = [
    *(None, True, False, 0, 1, -1, 2**63, 1.5, "", "x", "/", "..", "\x00", "0", "*", "nh_users"),
    *([], {}, [None], [[]], {"": ""}, {"x": "y"}, ["ALL"], [{"Target": "host"}]),
]


def respelled(key: str) -> list[str]:
    """The key as Go takes for the same."""
    return [key.lower(), key.upper(), key.swapcase(), key.replace("s", LONG_S).replace("k", KELVIN)]


# Judging


class Pairs(list[tuple[str, Any]]):
    """A JSON object with its keys as they came."""


def as_engine_reads(raw: bytes) -> Any:
    """What Go's decoder makes of a body: capitals do not matter, the last of two keys wins.

    Keys are given in capitals; maps of texts (labels and the like) keep theirs.
    """
    return _fold(json.loads(raw, object_pairs_hook=Pairs), "")


MAPS = {"LABELS", "OPTIONS", "SYSCTLS", "DRIVEROPTS"}


def _fold(value: Any, key: str) -> Any:
    if isinstance(value, Pairs):
        if key in MAPS:
            return {k: _fold(v, "") for k, v in value}
        return {_capitals(k): _fold(v, _capitals(k)) for k, v in value}
    if isinstance(value, list):
        return [_fold(each, key) for each in value]
    return value


def _capitals(key: str) -> str:
    return key.replace(LONG_S, "s").replace(KELVIN, "k").upper()


KEYS = """
NAME LABELS TASKTEMPLATE MODE NETWORKS ENDPOINTSPEC UPDATECONFIG CONTAINERSPEC RESOURCES
RESTARTPOLICY PLACEMENT LOGDRIVER FORCEUPDATE RUNTIME IMAGE COMMAND ARGS HOSTNAME ENV DIR USER
MOUNTS STOPGRACEPERIOD SECRETS TTY OPENSTDIN HEALTHCHECK INIT CAPABILITYDROP SYSCTLS CONFIGS
CONFIGID CONFIGNAME TYPE TARGET SOURCE READONLY VOLUMEOPTIONS TMPFSOPTIONS NOCOPY DRIVERCONFIG
OPTIONS SIZEBYTES SECRETID SECRETNAME FILE UID GID TEST INTERVAL TIMEOUT STARTPERIOD RETRIES
LIMITS RESERVATIONS NANOCPUS MEMORYBYTES PIDS GENERICRESOURCES DISCRETERESOURCESPEC KIND VALUE
CONDITION DELAY MAXATTEMPTS WINDOW CONSTRAINTS PREFERENCES SPREAD SPREADDESCRIPTOR PLATFORMS
ARCHITECTURE OS MAXREPLICAS REPLICATED REPLICAS
"""  # that do no harm by themselves
KNOWN = frozenset(KEYS.split())


def wrong(read: Any, user: str, server: str, *, nfs: bool) -> str:
    """Say what somebody could do with a service that they should not; nothing if nothing.

    ``read`` is a body `as_engine_reads`; ``user`` and ``server`` are whose it is to be.
    """
    try:
        return next(_wrongs(read, user, server, nfs), "")
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        return f"it is no body of a service: {error!r}"


def _keys(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if key not in MAPS:
                if inner is not None:
                    yield name
                yield from _keys(inner, name)
    elif isinstance(value, list):
        for each in value:
            yield from _keys(each, key)


def _wrongs(read: Any, user: str, server: str, nfs: bool) -> Iterator[str]:
    for key in _keys(read):
        if key not in KNOWN:
            yield f"it says {key}"
    task = read["TASKTEMPLATE"]
    container = task["CONTAINERSPEC"]
    for labels in (read["LABELS"], container["LABELS"]):
        if [labels[key] for key in LABELS] != ["nh", "server", user, server]:
            yield "the platform takes it for something else"
        if any(key.lower().startswith("com.docker") for key in labels):
            yield "Docker takes it for something else"
        if sum(key.startswith("notehive.") for key in labels) != 6:
            yield "it has a label of the platform's"
    if not read["NAME"].startswith("nh-") or not read["NAME"][-10:].isalnum():
        yield "it answers to the name of another"
    if read["NAME"] != naming.server_service("nh", user, server):
        yield "it answers to the name of another user's"
    if read.get("MODE") not in (None, {"REPLICATED": {"REPLICAS": 1}}):
        yield "there are many of it"
    endpoint = read["ENDPOINTSPEC"]
    if read.get("NETWORKS") or endpoint.get("PORTS") or endpoint["MODE"] != "dnsrr":
        yield "it is reached in another way"
    networks = [{k: v for k, v in each.items() if v is not None} for each in task["NETWORKS"]]
    if {"TARGET": "nh_users"} not in networks or any(
        each not in ({"TARGET": "nh_users"}, {"TARGET": "spark"}) for each in networks
    ):
        yield "it is on another network"
    if task.get("RUNTIME") not in (None, "container"):
        yield "it is no container"
    if task["RESTARTPOLICY"]["CONDITION"] != "none":
        yield "it is started again"
    if "node.labels.nh == true" not in task["PLACEMENT"]["CONSTRAINTS"]:
        yield "it runs where it should not"
    log = task["LOGDRIVER"]
    if log["NAME"] != "json-file" or not log["OPTIONS"]["max-size"][:-1].isdigit():
        yield "its log goes elsewhere, or has no end"
    yield from _wrong_amounts(task["RESOURCES"])
    if container["IMAGE"] not in ("base", "ds"):
        yield "it runs another image"
    if container.get("USER") not in (None, "1000", "1000:100"):
        yield "it runs as another user"
    if container["CAPABILITYDROP"] != ["ALL"] * max(1, len(container["CAPABILITYDROP"])):
        yield "it keeps capabilities"
    if container["SYSCTLS"] != {
        "net.ipv4.ip_unprivileged_port_start": "1024",
        "net.ipv4.ip_local_reserved_ports": "8888",
    }:
        yield "it sets the kernel"
    if container["COMMAND"] != ["/usr/local/bin/walled", "/usr/local/bin/docker-entrypoint"]:
        yield "it starts without walls"
    for given in container.get("CONFIGS") or ():
        if (given["CONFIGID"], given["FILE"]["NAME"]) != (CONFIG, CA_FILE):
            yield "it has another config, or has it in place of another file"
    for secret in container.get("SECRETS") or ():
        if (secret["SECRETID"], secret["SECRETNAME"]) not in (
            (TOKEN, "own"),
            (LICENCE, "licence-sas"),
        ):
            yield "it reads a secret of another"
        if "/" in secret["FILE"]["NAME"] or secret["FILE"]["NAME"] in ("", ".", ".."):
            yield "it has a secret in place of another file"
    for mount in container.get("MOUNTS") or ():
        yield from _wrong_mount(mount, user, nfs)


def _wrong_amounts(resources: Any) -> Iterator[str]:
    limits, kept = resources["LIMITS"], resources.get("RESERVATIONS") or {}
    for amount, most in (
        (limits["NANOCPUS"], 4 * 10**9),
        (limits["MEMORYBYTES"], 8 * 2**30),
        (limits["PIDS"], 16384),
    ):
        if type(amount) is not int or not 0 < amount <= most:
            yield "it takes more than a server may"
    for key, most in (("NANOCPUS", 4 * 10**9), ("MEMORYBYTES", 8 * 2**30)):
        amount = kept.get(key, 0)
        if type(amount) is not int or not 0 <= amount <= most:
            yield "it keeps more than a server may"
    specs = [each["DISCRETERESOURCESPEC"] for each in kept.get("GENERICRESOURCES") or ()]
    if sum(each["VALUE"] for each in specs) > 2 or {each["KIND"] for each in specs} - {
        "NVIDIA-GPU"
    }:
        yield "it keeps more GPUs than a server may"


def _wrong_mount(mount: Any, user: str, nfs: bool) -> Iterator[str]:
    kind, source, target = mount["TYPE"], mount.get("SOURCE"), mount["TARGET"]
    read_only = mount.get("READONLY") is True
    options = mount.get("VOLUMEOPTIONS")
    if not target.startswith("/") or ".." in PurePosixPath(target).parts or "\0" in target:
        yield "it mounts at no path"
    if kind == "tmpfs":
        if source:
            yield "a tmpfs of something"
        return
    home = f"homes/{naming.slug(user)}"
    stored = {home: "/home/jovyan", "shared/risk": "/shared/risk", "shared/open": "/shared/open"}
    if kind == "bind" and not options and not mount.get("TMPFSOPTIONS"):
        if not nfs and stored.get(source.removeprefix("/srv/homes/")) == target:
            return
        if source == "/srv/reference" and read_only:
            return
        path = PurePosixPath(source)
        inside = source.count("/") == 3 and path.parts[:3] == ("/", "srv", "scratch")
        if inside and len(path.parts) == 4 and path.name != "..":
            return
        yield f"it mounts {source} of the host"
    elif kind == "volume" and options:
        device = options["DRIVERCONFIG"]["OPTIONS"]
        place = device["device"].removeprefix(":/srv/homes/")
        right = {"type": "nfs", "o": NFS, "device": f":/srv/homes/{place}"}
        if not nfs or stored.get(place) != target or device != right:
            yield f"it mounts {device}"
        if options["DRIVERCONFIG"]["NAME"] != "local" or options["NOCOPY"] is not True:
            yield "it mounts by another driver"
        if not source.startswith(f"nh-{place.replace('/', '-')}-") or "/" in source:
            yield "it makes a volume that another mount takes for its own"
    elif kind == "volume":
        if not source.startswith("scratch-") or source == "scratch-" or "/" in source:
            yield f"it mounts the volume {source}"
    else:
        yield f"it mounts {kind}"
