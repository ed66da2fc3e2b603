"""The bodies of requests, key by key: what is not declared here, nobody may send.

Names, types and meanings are those of the engine's API. A key that may only be null is one that
docker-py always sends. What depends on who asks is judged in `notehive.guard.rules`.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from notehive.guard.refused import RefusedError

Amount = Annotated[int, Field(ge=0, lt=2**63)]
Positive = Annotated[int, Field(gt=0, lt=2**63)]
LabelSet = dict[str, str]


def _plain(path: str) -> str:
    parts = path.split("/")
    if parts[0] or len(parts) < 2 or {"", ".", ".."} & set(parts[1:]) or "\0" in path:
        raise ValueError("is no absolute path without dots and doubled slashes")
    return path


AbsolutePath = Annotated[str, AfterValidator(_plain)]


class Part(BaseModel):
    """A JSON object: unknown keys are errors, and so are values of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Driver(Part):
    """A driver of logs or volumes."""

    Name: str
    Options: dict[str, str] | None = None


class VolumeMount(Part):
    """How a volume is mounted."""

    NoCopy: bool = False
    Labels: dict[str, str] | None = None
    DriverConfig: Driver | None = None


class TmpfsMount(Part):
    """A file system in memory."""

    SizeBytes: Amount | None = None
    Mode: Annotated[int, Field(ge=0, le=0o1777)] | None = None


class Mount(Part):
    """What a container sees at a path."""

    Type: Literal["bind", "volume", "tmpfs"]
    Target: AbsolutePath
    Source: str | None = None
    ReadOnly: bool = False
    VolumeOptions: VolumeMount | None = None
    TmpfsOptions: TmpfsMount | None = None


class SecretFile(Part):
    """Where a container has a secret, below /run/secrets."""

    Name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=255)]
    UID: Annotated[str, Field(pattern=r"^[0-9]{1,5}$")]
    GID: Annotated[str, Field(pattern=r"^[0-9]{1,5}$")]
    Mode: Annotated[int, Field(ge=0, le=0o777)]


class SecretReference(Part):
    """A secret of a container."""

    SecretID: Annotated[str, Field(pattern=r"^[a-z0-9]{25}$")]
    SecretName: str
    File: SecretFile


class HealthConfig(Part):
    """How the engine asks a container whether it is well."""

    Test: list[str] | None = None
    Interval: Amount | None = None
    Timeout: Amount | None = None
    StartPeriod: Amount | None = None
    Retries: Amount | None = None


class Container(Part):
    """A container without any right."""

    Image: str
    Command: list[str] | None = None
    Args: list[str] | None = None
    Hostname: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$")] | None = None
    Env: list[str] | None = None
    Dir: str | None = None
    User: Literal["1000", "1000:100"] | None = None
    Labels: LabelSet
    Mounts: list[Mount] = []
    StopGracePeriod: Amount | None = None
    Secrets: list[SecretReference] = []
    TTY: bool | None = None
    OpenStdin: bool | None = None
    Healthcheck: HealthConfig | None = None
    Init: bool | None = None
    CapabilityDrop: Annotated[list[Literal["ALL"]], Field(min_length=1)]
    Sysctls: dict[str, str]


class Limit(Part):
    """The most that a container can use."""

    NanoCPUs: Positive
    MemoryBytes: Positive
    Pids: Positive


class NumberOf(Part):
    """So many of a kind."""

    Kind: str
    Value: Positive


class GenericResource(Part):
    """What nodes advertise."""

    DiscreteResourceSpec: NumberOf


class Reserved(Part):
    """What is kept for a container."""

    NanoCPUs: Amount = 0
    MemoryBytes: Amount = 0
    GenericResources: list[GenericResource] | None = None


class Requirements(Part):
    """What a container can use, and what is kept for it."""

    Limits: Limit
    Reservations: Reserved | None = None


class Restart(Part):
    """A server that ends is not started again."""

    Condition: Literal["none"]
    Delay: Amount | None = None
    MaxAttempts: Amount | None = None
    Window: Amount | None = None


class SpreadOver(Part):
    """What a spread goes by."""

    SpreadDescriptor: str


class Preference(Part):
    """A wish for a node."""

    Spread: SpreadOver


class Platform(Part):
    """A kind of machine."""

    Architecture: str | None = None
    OS: str | None = None


class Where(Part):
    """On which nodes it may run."""

    Constraints: list[str] = []
    Preferences: list[Preference] | None = None
    Platforms: list[Platform] | None = None
    MaxReplicas: Amount | None = None


class LogOptions(Part):
    """A log has an end, or a container could fill its node's disk with it."""

    max_size: Annotated[str, Field(alias="max-size", pattern=r"^[1-9][0-9]{0,2}[km]$")]
    max_file: Annotated[str, Field(alias="max-file", pattern=r"^[1-9][0-9]?$")]


class Log(Part):
    """A log on the node."""

    Name: Literal["json-file"]
    Options: LogOptions


class Network(Part):
    """A network of a container. No alias: with one it could answer to the hub's name."""

    Target: str
    Aliases: None = None
    DriverOpts: None = None


class Task(Part):
    """What the Swarm is to run."""

    ContainerSpec: Container
    Resources: Requirements
    RestartPolicy: Restart
    Placement: Where
    LogDriver: Log
    Networks: list[Network]
    ForceUpdate: Amount | None = None
    Runtime: Literal["container"] | None = None


class ReplicatedService(Part):
    """So many of them: one."""

    Replicas: Annotated[int, Field(ge=1, le=1)]


class ServiceMode(Part):
    """How many of them run."""

    Replicated: ReplicatedService


class Endpoint(Part):
    """How its name is resolved. It publishes no port."""

    Mode: Literal["dnsrr"]
    Ports: None = None


class Service(Part):
    """The body of ``POST /services/create``."""

    Name: str
    Labels: LabelSet
    TaskTemplate: Task
    Mode: ServiceMode | None = None
    Networks: None = None
    EndpointSpec: Endpoint
    UpdateConfig: None = None


class Secret(Part):
    """The body of ``POST /secrets/create``."""

    Name: str
    Labels: LabelSet
    Data: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=4096)]


AnyPart = TypeVar("AnyPart", bound=Part)


def read(kind: type[AnyPart], data: Any) -> AnyPart:
    """Take a body as JSON says it. Raises RefusedError that names the first thing amiss."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        said = "nobody may set this" if first["type"] == "extra_forbidden" else first["msg"]
        raise RefusedError(f"{place}: {said}.") from None


def write(part: Part) -> dict[str, Any]:
    """Give the body that says this, and nothing else."""
    return part.model_dump(by_alias=True, exclude_none=True)
