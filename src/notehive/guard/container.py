"""What a body says of the container. It has no right, and no way to be given one."""

from typing import Annotated, Literal

from pydantic import Field

from notehive.guard.part import HOUR, AbsolutePath, Amount, LabelSet, Part


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


class ConfigFile(Part):
    """Where a container has a config, by its full path."""

    Name: AbsolutePath
    UID: Annotated[str, Field(pattern=r"^[0-9]{1,5}$")]
    GID: Annotated[str, Field(pattern=r"^[0-9]{1,5}$")]
    Mode: Annotated[int, Field(ge=0, le=0o777)]


class ConfigReference(Part):
    """A config of a container."""

    ConfigID: str
    ConfigName: str
    File: ConfigFile


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
    Command: list[str]
    Args: list[str] | None = None
    Hostname: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$")] | None = None
    Env: list[str] | None = None
    Dir: str | None = None
    User: Literal["1000", "1000:100"] | None = None
    Labels: LabelSet
    Mounts: list[Mount] = Field(default_factory=list)
    StopGracePeriod: Annotated[int, Field(ge=0, le=HOUR)] | None = None
    Secrets: list[SecretReference] = Field(default_factory=list)
    Configs: list[ConfigReference] = Field(default_factory=list)
    TTY: bool | None = None
    OpenStdin: bool | None = None
    Healthcheck: HealthConfig | None = None
    Init: bool | None = None
    CapabilityDrop: Annotated[list[Literal["ALL"]], Field(min_length=1)]
    Sysctls: dict[str, str]
