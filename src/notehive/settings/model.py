"""All settings: each is declared once, with its type, its default and its help."""

from collections.abc import Mapping, Set
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from notehive.settings.login import Auth
from notehive.settings.notify import Notify
from notehive.settings.outside import External
from notehive.settings.values import (
    EVERYONE,
    GIB,
    LEAST_PIDS,
    MIB,
    MOST_PIDS,
    PIDS_PER_GIB,
    PORTS,
    SHORTEST_IDLE,
    SMALLEST_SERVER,
    Addresses,
    Directory,
    File,
    GenericResource,
    Memory,
    Mirror,
    Name,
    OpenMirror,
    OwnMount,
    OwnName,
    Ports,
    Registry,
    Subnet,
    Url,
    UserName,
    format_memory,
)
from notehive.typed_yaml.section import Section


class Resources(Section):
    """An amount of CPU and memory."""

    cpu: float = Field(gt=0, le=1024, description="Processor cores.")
    memory: Memory = Field(description="Memory, like 512M or 4G.")


class Size(Section):
    """A size of notebook server."""

    title: str = Field("", description="Its name on the spawn form; the key if empty.")
    limit: Resources = Field(description="The most that a server of this size can use.")
    guarantee: Resources | None = Field(
        None, description="What is reserved for it; a tenth of the limit's CPU, half its memory."
    )
    gpu: int = Field(0, ge=0, le=64, description="GPUs of its own, of a node that advertises them.")
    gpu_kind: GenericResource = Field(
        "gpu", description="Name under which nodes advertise them, like NVIDIA-GPU."
    )

    @model_validator(mode="after")
    def _guarantee_fits(self) -> "Size":
        if self.limit.memory < SMALLEST_SERVER:
            raise ValueError(
                f"limit.memory is {format_memory(self.limit.memory)}; "
                f"JupyterLab needs at least {format_memory(SMALLEST_SERVER)}"
            )
        reserved = self.reserved
        if reserved.cpu > self.limit.cpu or reserved.memory > self.limit.memory:
            raise ValueError("the guarantee is larger than the limit; lower it")
        return self

    @property
    def reserved(self) -> Resources:
        """The guarantee, or its default."""
        return self.guarantee or Resources(
            cpu=round(self.limit.cpu / 10, 3), memory=self.limit.memory // 2
        )

    @property
    def generic_resources(self) -> dict[str, int]:
        """What the Swarm calls the GPUs: how many of which kind."""
        return {self.gpu_kind: self.gpu} if self.gpu else {}

    @property
    def pids(self) -> int:
        """How many processes and threads a server may have: a fork bomb ends there."""
        pids = self.limit.memory * PIDS_PER_GIB // GIB
        return min(max(pids, LEAST_PIDS), MOST_PIDS)


class Image(Section):
    """A notebook image that users may choose."""

    title: str = Field("", description="Its name on the spawn form; the key if empty.")
    description: str = Field("", description="One line below the title.")
    image: str = Field(
        "",
        description="A folder of notebooks-images/, built by `up`, or a reference that Docker "
        "pulls (built FROM one of ours); the key if empty.",
    )
    packages: list[str] = Field(
        default_factory=list,
        description="What the spawn form lists as installed, like `torch 2.9`; for images of "
        "ours, what `pyproject.toml` says.",
    )


class Limits(Section):
    """What one user may hold in all running servers together; a part left out has no limit."""

    cpu: float | None = Field(None, gt=0, le=65536, description="Processor cores.")
    memory: Memory | None = Field(None, description="Memory, like 512M or 4G.")
    servers: int | None = Field(None, ge=1, description="Servers.")

    def or_more(self, other: "Limits") -> "Limits":
        """Give the more generous of each part that either of the two gives."""

        def more(key: str) -> Any:
            given = [v for v in (getattr(self, key), getattr(other, key)) if v is not None]
            return max(given, default=None)

        return Limits(**{key: more(key) for key in Limits.model_fields})

    def admit(self, size: Resources) -> bool:
        """Say whether a server of this size is within the limits, if it is the only one."""
        return (self.cpu is None or size.cpu <= self.cpu) and (
            self.memory is None or size.memory <= self.memory
        )


class Group(Section):
    """A group of users. Every user is in the one named `everyone`."""

    members: list[UserName] = Field(
        default_factory=list,
        description="Users in this group, beside those added by `user add NAME --group`.",
    )
    images: list[str] = Field(
        default_factory=list,
        description="Images reserved for the groups that name them; the others are for everyone.",
    )
    sizes: list[str] = Field(
        default_factory=list,
        description="Sizes reserved for the groups that name them; the others are for everyone.",
    )
    shared: Literal["none", "members", "everyone"] = Field(
        "members",
        description="Who has the folder /shared/NAME, the workspace NAME of MLflow and the DAGs "
        "NAME.* of Airflow; with `everyone`, those who are no members read only.",
    )
    dags: bool = Field(
        False,
        description="Whether Airflow loads the DAGs that members write, in the folder dags/ of a "
        "model. They run with Airflow's own rights: for groups that you trust with those.",
    )
    quota: Memory = Field(
        0, ge=0, description="Space for each member's home, where it is more than storage.quota."
    )

    limits: Limits = Field(
        default_factory=Limits,
        description="The most that one member may hold in all running servers together.",
    )


def home_quota(default: int, groups: Mapping[str, Group], member_of: Set[str]) -> int:
    """Give the space (bytes) for the home of a member of these groups; 0 for no limit."""
    own = member_of | {EVERYONE}
    return max([default, *(group.quota for name, group in groups.items() if name in own)])


class Tls(Section):
    """Encryption between browsers and the site."""

    kind: Literal["off", "files", "acme", "self-signed"] = Field(
        "off",
        description="Where the certificate comes from: `files` of yours; `acme`: Let's Encrypt or "
        "another server of that protocol; `self-signed`: made by `up`. `off` with an https `url`: "
        "a TLS proxy of yours is in front. `tls: self-signed` is short for `tls: {kind: ...}`.",
    )
    certificate: File = Field(
        "", description="With `files`: the certificate and those that signed it, as PEM."
    )
    key: File = Field("", description="With `files`: its private key, as PEM, without a password.")
    authority: File = Field(
        "",
        description="The certificate of a private authority, as PEM, which users' servers (and "
        "with `acme` certbot) are to trust beside `ca_bundle`.",
    )
    email: str = Field("", description="With `acme`: whom the ACME server may write to.")
    server: Mirror = Field(
        "https://acme-v02.api.letsencrypt.org/directory",
        description="With `acme`: the address of the server's directory.",
    )
    http_port: int = Field(
        80,
        ge=0,
        le=65535,
        description="Port whose requests are sent on to https, and where ACME's server looks; "
        "behind a proxy of yours, the port that it asks. 0: none.",
    )

    @model_validator(mode="before")
    @classmethod
    def _kind_alone(cls, data: Any) -> Any:
        given = {"kind": data} if isinstance(data, str | bool) else data
        # YAML 1.1 reads a bare `off` as false.
        if isinstance(given, dict) and given.get("kind") is False:
            return {**given, "kind": "off"}
        return given


class Nfs(Section):
    """The NFS server that keeps users' homes."""

    server: str = Field(
        "", description="Name or address of your own server; empty: Notehive's, on the data node."
    )
    path: str = Field("", description="The directory that your own server exports.")
    port: int = Field(2049, ge=1, le=65535, description="Port of the server, yours or Notehive's.")
    options: str = Field(
        "vers=4.2,hard,noatime",
        description="How nodes mount it; address, port, nodev and nosuid are added.",
    )


class Storage(Section):
    """Where users' homes and groups' shared folders are."""

    kind: Literal["local", "nfs"] = Field(
        "local",
        description="`local`: a directory, of the data node or one that all nodes have; "
        "`nfs`: every node mounts it.",
    )
    path: Directory = Field(
        "",
        description="With `local`: a directory that every node has, like the mount of a cluster "
        "file system. Empty: a volume of the data node, and servers run on that node alone.",
    )
    nfs: Nfs = Field(default_factory=Nfs, description="With `nfs`: the server.")
    quota: Memory = Field(
        0,
        ge=0,
        description="Space for each home, like 50G; whoever uses more can only start a server of "
        "the smallest size, to delete files. 0: no limit.",
    )


class Culling(Section):
    """Servers that nobody uses are stopped. Minutes, of which fractions may be given."""

    idle: float = Field(
        60, ge=0, description="After how many minutes without use a server is stopped; 0: never."
    )
    notice: float = Field(
        10, ge=0, description="How many minutes before that JupyterLab says so, and can extend it."
    )

    @model_validator(mode="after")
    def _notice_fits(self) -> "Culling":
        if 0 < self.idle < SHORTEST_IDLE:
            raise ValueError(f"idle is {self.idle:g} minutes; use {SHORTEST_IDLE:g} or more, or 0")
        if self.idle and self.notice >= self.idle:
            raise ValueError("the notice is not shorter than the idle time; lower it")
        return self


class OwnConfig(Section):
    """What files in hub/jupyterhub_config.d/ may give to servers beyond the other settings."""

    mounts: list[OwnMount] = Field(
        default_factory=list,
        description="Directories of the nodes and volumes, like `/srv/reference` or `scratch-*`; "
        "read only, unless `:rw` is at the end.",
    )
    secrets: list[OwnName] = Field(
        default_factory=list, description="Swarm secrets of yours, like `licence`."
    )
    networks: list[OwnName] = Field(
        default_factory=list, description="Overlay networks of yours, like `spark`."
    )
    limit: Resources | None = Field(
        None, description="The most that a server may use; that of the largest size if left out."
    )


class Mirrors(Section):
    """Package mirrors for builds and users; empty means the package manager's own default."""

    apt: OpenMirror = Field("", description="Debian mirror, the address above dists/ and pool/.")
    apt_security: OpenMirror = Field(
        "", description="Debian security mirror; found beside `apt`'s."
    )
    pypi: Mirror = Field(
        "",
        description="Python index, the address that ends in simple/; users have it by way of "
        "`services.pypi`, or without that directly, unless it holds a password.",
    )
    npm: Mirror = Field("", description="npm registry.")
    docker: Registry = Field(
        "", description="Registry that holds debian:trixie-slim, and Jenkins' image."
    )


class Git(Section):
    """Groups' repositories of models."""

    kind: Literal["own", "external"] = Field(
        "own",
        description="`own`: the site serves them, and takes pushes; `external`: a server of yours "
        "does, and tells the site of pushes, see docs/git.md.",
    )
    push_limit: Memory = Field(
        8 * GIB, ge=MIB, description="The most that one push may bring, like 8G."
    )
    external: External | None = Field(None, description="With `external`: that server.")


class Retention(Section):
    """How long what grows is kept."""

    releases: int = Field(
        10,
        ge=1,
        le=1000,
        description="So many releases of each model stay in the registry and on the disk, the "
        "newest ones, and always the one that counts.",
    )
    days: int = Field(
        7,
        ge=0,
        le=3650,
        description="A release that has been replaced stays for so long in any case: runs that "
        "were begun with it go on with it.",
    )
    metrics: int = Field(90, ge=1, le=3650, description="Days for which Prometheus keeps metrics.")
    metrics_space: Memory = Field(
        10 * GIB, ge=GIB, description="The most space that they take; the oldest go first."
    )


class Services(Section):
    """What runs beside the hub. What is off is left out, and its links vanish."""

    airflow: bool = Field(True, description="Pipelines: schedules, runs and logs, /airflow/.")
    git: bool = Field(
        True, description="Groups' repositories of models, and images built from them, /git/."
    )
    jenkins: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Releases of models as Jenkins' builds, /jenkins/. `auto`: if its image can be "
        "pulled and built; the platform releases without it where it cannot.",
    )
    mlflow: bool = Field(True, description="Experiment tracking and model registry, /mlflow/.")
    prometheus: bool = Field(
        True, description="Metrics of all parts, for administrators, /prometheus/."
    )
    pypi: bool = Field(True, description="Package cache and groups' own packages, /pypi/.")
    registry: bool = Field(True, description="Image registry, which other nodes pull from.")

    @field_validator("jenkins", mode="before")
    @classmethod
    def _bare_word(cls, given: Any) -> Any:
        # YAML 1.1 reads a bare `on` or `off` as true or false.
        return ("off", "on")[given] if isinstance(given, bool) else given

    @property
    def has_releases(self) -> bool:
        """Whether a push becomes an image, which goes to the registry."""
        return self.git and self.registry

    @property
    def has_jenkins(self) -> bool:
        """Whether Jenkins runs; `auto` is decided by `up`, and nobody's until then."""
        return self.jenkins == "on"


class Packages(Section):
    """The site's own package index."""

    cache: Memory = Field(
        10 * GIB,
        ge=0,
        description="Space for what came from the index upstream; what nobody has wanted for "
        "longest goes first. Groups' own packages have no limit.",
    )


class Opening(Section):
    """An opening in the walls around users' servers, even to what is closed otherwise."""

    addresses: list[Addresses] = Field(
        min_length=1, description="Addresses or networks outside, like 10.0.0.7 or 10.0.0.0/24."
    )
    ports: list[Ports] = Field(
        default_factory=list,
        description="Ports there, TCP and UDP, that servers reach, like 5432 or 7000-7010.",
    )
    back: list[Ports] = Field(
        default_factory=list,
        description="Ports of servers that these addresses reach, like those on which a Spark "
        "driver is called back.",
    )

    @model_validator(mode="after")
    def _opens(self) -> "Opening":
        if not self.ports and not self.back:
            raise ValueError("opens nothing; name ports: or back:")
        return self


class Network(Section):
    """Addresses inside the Swarm, and what users' servers reach outside of it."""

    users: Subnet = Field(
        "10.96.0.0/16",
        description="Subnet of users' servers, one address each; one that your network lacks.",
    )
    registry_port: int = Field(
        5000, ge=1024, le=65534, description="Loopback port, on every node, that images come from."
    )
    outgoing: Literal["all", "none"] = Field(
        "all",
        description="What users' servers reach outside: `all` but the nodes and link-local "
        "addresses, or `none`, not even name servers. What `openings` names in both cases.",
    )
    openings: dict[Name, Opening] = Field(
        default_factory=dict, description="Openings in the walls around users' servers, by name."
    )

    @property
    def push_port(self) -> int:
        """The registry's own port, which takes pushes: the one above."""
        return self.registry_port + 1


def _default_images() -> dict[str, Image]:
    return {
        "datascience": Image(
            title="Data science",
            description="scikit-learn, pandas, polars, matplotlib, statsmodels, MLflow",
        ),
        "base": Image(title="Base", description="Python, JupyterLab, git and the MLflow client"),
    }


def _default_sizes() -> dict[str, Size]:
    def size(title: str, cpu: float, memory: int) -> Size:
        return Size(title=title, limit=Resources(cpu=cpu, memory=memory * GIB))

    return {"small": size("Small", 1, 2), "medium": size("Medium", 2, 4)}


class Settings(Section):
    """settings.yml."""

    name: Name = Field("notehive", description="Name of this workbench: its stack and its title.")
    url: Url = Field(
        "",
        description="Where people open it, like https://workbench.example.com; "
        "this machine's address if empty, with https if `tls` is on.",
    )
    tls: Tls = Field(default_factory=Tls, description="Encryption of the site.")
    subdomains: bool = Field(
        False,
        description="Each user's servers at a name of their own below that of `url`: their pages "
        "are strangers to all others. The names must lead here, and the certificate be good for "
        "them.",
    )
    admins: list[UserName] = Field(
        default_factory=lambda: ["admin"],
        min_length=1,
        description="Users who administer; `up` makes the first one's account.",
    )
    auth: Auth = Field(default_factory=Auth, description="How people log in.")
    groups: dict[Name, Group] = Field(
        default_factory=dict, description="Groups of users; every user is in `everyone`."
    )
    images: dict[Name, Image] = Field(
        default_factory=_default_images, min_length=1, description="Notebook images to choose from."
    )
    sizes: dict[Name, Size] = Field(
        default_factory=_default_sizes, min_length=1, description="Sizes to choose from."
    )
    storage: Storage = Field(
        default_factory=Storage, description="Where users' homes and shared folders are."
    )
    culling: Culling = Field(
        default_factory=Culling, description="Servers that nobody uses are stopped."
    )
    own_config: OwnConfig = Field(
        default_factory=OwnConfig,
        description="What files in hub/jupyterhub_config.d/ may give to servers beyond the rest.",
    )
    mirrors: Mirrors = Field(default_factory=Mirrors, description="Package mirrors.")
    ca_bundle: str = Field(
        "",
        description="File of the certificates that images trust; this machine's bundle if empty.",
    )
    git: Git = Field(default_factory=Git, description="Groups' repositories of models.")
    services: Services = Field(default_factory=Services, description="What runs beside the hub.")
    packages: Packages = Field(
        default_factory=Packages, description="The site's own package index, /pypi/."
    )
    notify: Notify = Field(
        default_factory=Notify, description="Who is told when something is wrong."
    )
    retention: Retention = Field(
        default_factory=Retention, description="How long what grows is kept."
    )
    network: Network = Field(default_factory=Network, description="Addresses inside the Swarm.")

    @property
    def outside(self) -> External | None:
        """The server outside that repositories come from, if they do and are wanted."""
        wanted = self.services.git and self.git.kind == "external"
        return self.git.external if wanted else None

    @property
    def scheme(self) -> str:
        """How browsers speak to the site: http or https."""
        return urlsplit(self.url).scheme or ("http" if self.tls.kind == "off" else "https")

    @property
    def is_proxied(self) -> bool:
        """Whether a TLS proxy of the operator's is in front: https for browsers, http here."""
        return self.scheme == "https" and self.tls.kind == "off"

    @property
    def port(self) -> int:
        """The port of this machine on which Nginx serves the site."""
        if self.is_proxied:
            return self.tls.http_port
        return urlsplit(self.url).port or PORTS[self.scheme]

    @property
    def redirect_port(self) -> int:
        """The port on which Nginx sends people on to https; 0 for none."""
        return 0 if self.tls.kind == "off" else self.tls.http_port
