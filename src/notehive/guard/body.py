"""The bodies of requests, key by key: what is not declared here, nobody may send.

Names, types and meanings are those of the engine's API. A key that may only be null is one that
docker-py always sends. What depends on who asks is judged in `notehive.guard.rules`.
"""

from typing import Annotated, Literal

from pydantic import Field

from notehive.guard.container import Container
from notehive.guard.part import Amount, LabelSet, Part, Positive


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

    Constraints: list[str] = Field(default_factory=list)
    Preferences: list[Preference] | None = None
    Platforms: list[Platform] | None = None
    MaxReplicas: Amount | None = None


class LogOptions(Part):
    """A log has an end, or a container could fill its node's disk with it."""

    max_size: Annotated[str, Field(alias="max-size", pattern=r"^([1-9][0-9]{0,2}k|[1-9][0-9]?m)$")]
    max_file: Annotated[str, Field(alias="max-file", pattern=r"^[1-9]$")]


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
