"""Typed settings, and the only reader of settings.yml.

Each setting is declared once, here, with its type, its default and its help. What a
person reads (``./notehive settings``, docs/settings.md) is made from these declarations.
"""

import difflib
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Set
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, get_origin
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from notehive.errors import BadInput
from notehive.usernames import check_user_name

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")
UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
GIB = UNITS["G"]
URL = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:]+\])(?::([1-9][0-9]{0,4}))?")
PORTS = {"http": 80, "https": 443}
# Mounts, secrets and networks of the operator's own; a star at the end is the rest of the name.
OWN_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*\*?"
OWN_MOUNT = re.compile(rf"((/[\w.-]*[\w-][\w.-]*)+(/\*)?|{OWN_NAME})(:rw)?", re.ASCII)
WRITABLE = ":rw"
SHORTEST_IDLE = 0.25  # minutes
SMALLEST_SERVER = 128 * UNITS["M"]  # below this, JupyterLab does not start
EVERYONE = "everyone"  # the group that every user is in
# A group's workspace has its name, and these are MLflow's own.
RESERVED_BY_MLFLOW = {"ajax-api", "api", "default", "static-files", "workspaces"}
# Processes and threads of a server: by its memory, enough for a few kernels with a thread for each
# core of a large node, and at most half of what a kernel has by default.
PIDS_PER_GIB, LEAST_PIDS, MOST_PIDS = 512, 1024, 16384


def parse_memory(value: object) -> int:
    """Take ``512M``, ``1.5G`` or a number of bytes; give bytes (units are powers of 1024)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", str(value).strip())
    if not match:
        raise ValueError(f"{value!r} is not an amount of memory; write it like 512M or 4G")
    return int(float(match[1]) * UNITS[match[2]])


def format_memory(size: int) -> str:
    """Give bytes as people write them: ``512M``, ``1.5G``."""
    for unit in ("T", "G", "M", "K"):
        if size >= UNITS[unit]:
            return f"{size / UNITS[unit]:.4g}{unit}"
    return str(size)


def _check_name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError(
            "use 1 to 24 lower-case letters, digits and dashes, a letter or digit first"
        )
    return value


def _check_url(value: str) -> str:
    """Give the address as browsers spell it, so that it equals the Host that they send."""
    if not value:
        return value
    url = value.lower().removesuffix("/")
    match = URL.fullmatch(url)
    if not match or int(match[3] or 80) > 65535:
        raise ValueError("write it like https://workbench.example.com or http://10.0.0.5:8080")
    if match[2] in ("localhost", "0.0.0.0", "[::1]", "[::]") or match[2].startswith("127."):  # noqa: S104
        raise ValueError(
            "users' servers cannot reach a loopback address; "
            "to try Notehive on one machine, use http://notehive.localhost"
        )
    port = str(PORTS[match[1]])
    return url.removesuffix(f":{port}") if match[3] == port else url


def _check_mirror(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^\s/]\S*", value):
        raise ValueError("write it like https://mirror.example.com/debian")
    return value


def _check_open_mirror(value: str) -> str:
    if "@" in urlsplit(_check_mirror(value)).netloc:
        raise ValueError(
            "holds a password, which would stay in the images; use a mirror without one"
        )
    return value


def _check_registry(value: str) -> str:
    if "://" in value:
        raise ValueError("write it without http://, like registry.example.com/docker")
    return value


def _check_file(value: str) -> str:
    if value and not value.startswith("/"):
        raise ValueError("write the whole path, like /etc/ssl/private/workbench.pem")
    return value


def _check_directory(value: str) -> str:
    if value and not re.fullmatch(r"(/[\w.-]*[\w-][\w.-]*)+", value):
        raise ValueError("write it like /mnt/cluster/notehive, without a slash at the end")
    return value


def _check_own_mount(value: str) -> str:
    if not OWN_MOUNT.fullmatch(value):
        raise ValueError(
            "write a directory like /srv/reference or /srv/scratch/*, or a volume like scratch-*; "
            f"with {WRITABLE} at the end for one that is written"
        )
    return value


def _check_own_name(value: str) -> str:
    if not re.fullmatch(OWN_NAME, value):
        raise ValueError("write a name of Docker's, like licence, or the beginning of some: risk-*")
    return value


def _check_secure_url(value: str) -> str:
    if value and not re.fullmatch(r"https://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError("write it like https://gitlab.example.com, with https://")
    return value.removesuffix("/")


def _check_host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[?[0-9a-fA-F:]+\]?", value):
        raise ValueError("write the name alone, like ldap.example.com; the rest is port: and tls:")
    return value


def _check_filter(value: str) -> str:
    if value and not (value.startswith("(") and value.endswith(")")):
        raise ValueError("write it with its brackets, like (objectClass=person)")
    return value


def _switch(value: object) -> object:
    # YAML 1.1 reads a bare `on` and `off` as true and false.
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


def _check_subnet(value: str) -> str:
    try:
        subnet = ipaddress.IPv4Network(value)
    except ValueError as error:
        raise ValueError(f"{error}; write it like 10.96.0.0/16") from None
    if subnet.prefixlen > 24:
        raise ValueError(f"{subnet} has {subnet.num_addresses} addresses; use a /24 or larger")
    return value


def _check_addresses(value: str) -> str:
    try:
        network = ipaddress.ip_network(value)
    except ValueError as error:
        why = error if re.fullmatch(r"[0-9a-fA-F.:]+(/\d+)?", value) else "is no address"
        raise ValueError(
            f"{value}: {why}; write 10.0.0.7, or a network like 10.0.0.0/24; "
            "no name, for what it means may change"
        ) from None
    if network.prefixlen == 0:
        raise ValueError(f"{value}: is everything; use network.outgoing: all")
    return str(network) if network.num_addresses > 1 else str(network.network_address)


def _check_ports(value: object) -> str:
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", str(value))
    if not match or not 0 < int(match[1]) <= int(match[2] or match[1]) < 65536:
        raise ValueError(f"{value!r}: is no port; write 5432, or a range like 40000-40100")
    return str(value)


Memory = Annotated[int, BeforeValidator(parse_memory)]
Addresses = Annotated[str, AfterValidator(_check_addresses)]
Ports = Annotated[str, BeforeValidator(_check_ports)]
Url = Annotated[str, AfterValidator(_check_url)]
Mirror = Annotated[str, AfterValidator(_check_mirror)]
OpenMirror = Annotated[str, AfterValidator(_check_open_mirror)]
File = Annotated[str, AfterValidator(_check_file)]
Directory = Annotated[str, AfterValidator(_check_directory)]
Registry = Annotated[str, AfterValidator(_check_registry)]
OwnMount = Annotated[str, AfterValidator(_check_own_mount)]
OwnName = Annotated[str, AfterValidator(_check_own_name)]
SecureUrl = Annotated[str, AfterValidator(_check_secure_url)]
Host = Annotated[str, AfterValidator(_check_host)]
Filter = Annotated[str, AfterValidator(_check_filter)]
Subnet = Annotated[str, AfterValidator(_check_subnet)]
UserName = Annotated[str, AfterValidator(check_user_name)]
Name = Annotated[str, AfterValidator(_check_name)]
GenericResource = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


class Section(BaseModel):
    """A part of settings.yml: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
        description="Who has the folder /shared/NAME and the workspace NAME of MLflow; with "
        "`everyone`, those who are no members read only.",
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


class LockOut(Section):
    """When failed logins lock an account."""

    attempts: int = Field(5, ge=1, description="Failed logins in a row that lock an account.")
    minutes: int = Field(10, ge=1, description="How long it stays locked.")


class LoginServer(Section):
    """What a directory and an OAuth provider have in common: who may come, with which rights."""

    title: str = Field("", description="What the login page calls it.")
    ca_file: str = Field(
        "",
        description="File of the certificates that vouch for it; what images trust if empty.",
    )
    allowed_groups: list[str] = Field(
        default_factory=list,
        description="Its groups whose members may log in; with no allowed_users either, everybody.",
    )
    allowed_users: list[UserName] = Field(
        default_factory=list, description="Users who may log in, whatever groups they are in."
    )
    admin_groups: list[str] = Field(
        default_factory=list, description="Its groups whose members administer."
    )
    group_map: dict[str, Name] = Field(
        default_factory=dict,
        description="Its groups, each with the name of the group of `groups:` that it is.",
    )
    refresh: int = Field(
        60, ge=5, le=86400, description="Seconds after which it is asked about a user again."
    )

    @property
    def is_open(self) -> bool:
        """Whether everybody whom it knows may log in."""
        return not (self.allowed_groups or self.allowed_users)


class Ldap(LoginServer):
    """An LDAP directory: OpenLDAP, Active Directory or another."""

    kind: Literal["openldap", "active-directory"] = Field(
        "openldap", description="Whose names for things are the defaults below."
    )
    server: Host = Field(description="Name of the server.")
    port: int = Field(0, ge=0, le=65535, description="Its port; 0: 389, or 636 with `tls: on`.")
    tls: Annotated[Literal["start", "on", "off"], BeforeValidator(_switch)] = Field(
        "start",
        description="`start`: TLS begins on the plain port (StartTLS); `on`: from the first byte; "
        "`off`: passwords cross the network readable.",
    )
    bind_dn: str = Field(
        "", description="Account that looks users up; without it they are looked up anonymously."
    )
    bind_password_file: str = Field("", description="File with the password of that account.")
    user_base: str = Field("", description="Where users are, like ou=people,dc=example,dc=com.")
    user_attribute: str = Field(
        "",
        pattern=r"^[A-Za-z][A-Za-z0-9;-]*$|^$",
        description="What they log in with; `uid`, or `sAMAccountName` of Active Directory.",
    )
    user_filter: Filter = Field(
        "", description="Which entries are users; all, of Active Directory persons not disabled."
    )
    user_dn: str = Field(
        "",
        description="Instead of looking users up: where each is, like "
        "uid={username},ou=people,dc=example,dc=com.",
    )
    group_base: str = Field("", description="Where groups are; empty: groups are not read.")
    group_filter: Filter = Field(
        "",
        description="The groups of the user {dn} with the name {name}; by member, uniqueMember or "
        "memberUid, of Active Directory by member, groups in groups included.",
    )


class OAuth(LoginServer):
    """A provider of OAuth: GitLab, GitHub, Google, or whoever speaks OpenID Connect."""

    provider: Literal["oidc", "gitlab", "github", "google"] = Field(
        "oidc", description="Which one; `oidc` is any that speaks OpenID Connect."
    )
    url: SecureUrl = Field(
        "", description="Its address (the issuer); the public one of GitLab, GitHub or Google."
    )
    client_id: str = Field(description="What it calls this workbench.")
    client_secret_file: str = Field(description="File with the secret that it gave for that.")
    scopes: list[str] = Field(
        default_factory=list, description="What is asked for; the provider's usual if empty."
    )
    username_claim: str = Field("", description="Claim that is the user's name here.")
    groups_claim: str = Field(
        "", description="Claim that lists the user's groups; a dot leads into a claim."
    )
    allowed_domains: list[str] = Field(
        default_factory=list,
        description="Of Google: the organizations whose accounts may log in, like example.com.",
    )
    end_session: bool = Field(
        False, description="Logging out here logs out there as well, where the provider offers it."
    )

    @property
    def is_public(self) -> bool:
        """Whether anybody in the world can have an account there."""
        return self.provider != "oidc" and not self.url


class Auth(Section):
    """How people log in."""

    kind: Literal["native", "ldap", "oauth"] = Field(
        "native",
        description="`native`: accounts kept by the hub itself; `ldap`, `oauth`: by a server of "
        "yours or a provider, see docs/login.md.",
    )
    sign_up: bool = Field(
        True,
        description="With `native`: people may ask for an account; an administrator approves.",
    )
    min_password_length: int = Field(
        10, ge=8, le=64, description="With `native`: the shortest password accepted."
    )
    lock_out: LockOut = Field(default_factory=LockOut, description="When failed logins lock.")
    ldap: Ldap | None = Field(None, description="With `ldap`: the directory.")
    oauth: OAuth | None = Field(None, description="With `oauth`: the provider.")

    @property
    def server(self) -> Ldap | OAuth | None:
        """What people log in with, if it is not the hub itself."""
        return self.ldap if self.kind == "ldap" else self.oauth if self.kind == "oauth" else None

    @property
    def password_file(self) -> tuple[str, str]:
        """Key and path of the file with what the hub shows to that server; no path for nothing."""
        if self.oauth:
            return "auth.oauth.client_secret_file", self.oauth.client_secret_file
        return "auth.ldap.bind_password_file", self.ldap.bind_password_file if self.ldap else ""

    @property
    def takes_sign_ups(self) -> bool:
        """Whether people may ask for an account here."""
        return self.kind == "native" and self.sign_up


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
        description="Python index, the address that ends in simple/; users' `pip install` has "
        "it too, unless it holds a password.",
    )
    npm: Mirror = Field("", description="npm registry.")
    docker: Registry = Field(
        "", description="Registry that holds the base image debian:trixie-slim."
    )


class Services(Section):
    """What runs beside the hub. What is off is left out, and its links vanish."""

    mlflow: bool = Field(True, description="Experiment tracking and model registry, /mlflow/.")
    registry: bool = Field(True, description="Image registry, which other nodes pull from.")


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
    services: Services = Field(default_factory=Services, description="What runs beside the hub.")
    network: Network = Field(default_factory=Network, description="Addresses inside the Swarm.")

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


def load(path: Path) -> Settings:
    """Read, check and give the settings of a file.

    Raises BadInput with one line for the first mistake: file, line, key, remedy.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(
            f"{path}: no such file; restore it with `git checkout settings.yml` "
            "or name another with --settings"
        ) from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    return parse(text, str(path))


def parse(text: str, place: str = "settings.yml") -> Settings:
    """Check the text of a settings file; ``place`` is its name in errors."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        keys = list(_keys(root)) if root else []
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInput(f"{place}:{line}: not YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadInput(f"{place}:{line}: not YAML: {error.reason}") from None
    except ValueError as error:  # a date that no calendar has
        raise BadInput(f"{place}: not YAML: {error}") from None
    except RecursionError:
        raise BadInput(f"{place}: nested too deeply, or an alias (*) that holds itself") from None
    if data is None:
        return Settings()
    if not isinstance(data, dict):
        raise BadInput(f"{place}:1: should be keys and values, like `name: notehive`")
    lines: dict[Location, int] = {}
    for location, line, is_text in keys:
        key = ".".join(map(str, location))
        if location in lines:
            raise BadInput(f"{place}:{line}: {key}: written twice; keep one")
        if not is_text:
            raise BadInput(f"{place}:{line}: {key}: a key should be text; put it in quotes")
        lines[location] = line

    def line_of(location: Location) -> int:
        while location and location not in lines:
            location = location[:-1]
        return lines.get(location, 1)

    def fail(location: Location, message: str) -> BadInput:
        return BadInput(f"{place}:{line_of(location)}: {'.'.join(map(str, location))}: {message}")

    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        found = [
            (tuple(part for part in each["loc"] if part != "[key]"), each)
            for each in error.errors()
        ]
        # The first in the file; but a key that seems missing may just be misspelt.
        location, first = min(
            found, key=lambda each: (each[1]["type"] == "missing", line_of(each[0]))
        )
        raise fail(location, _explain(first)) from None
    for location, message in _contradictions(settings):
        raise fail(location, message)
    return settings


Location = tuple[str | int, ...]


def _contradictions(settings: Settings) -> Iterator[tuple[Location, str]]:
    """What is wrong between settings, each of which could be right."""
    for group, rights in settings.groups.items():
        for key in ("images", "sizes"):
            defined = getattr(settings, key)
            for index, name in enumerate(getattr(rights, key)):
                if name not in defined:
                    yield (
                        ("groups", group, key, index),
                        f"{name!r} is not defined in {key}:; defined are {', '.join(defined)}",
                    )
        if rights.quota and not settings.storage.quota:
            yield (
                ("groups", group, "quota"),
                "is more than storage.quota, which is not set; set that too",
            )
    yield from _storage_contradictions(settings.storage)
    yield from _own_contradictions(settings.name, settings.own_config)
    yield from _contradictions_of_groups(settings)
    yield from _contradictions_of_auth(settings)
    yield from _contradictions_of_openings(settings.network)
    for name, size in settings.sizes.items():
        if size.gpu_kind != "gpu" and not size.gpu:
            yield ("sizes", name, "gpu_kind"), "says nothing without gpu:; add how many"
    yield from _tls_contradictions(settings)
    ports = {settings.port, settings.redirect_port}
    first, second = settings.network.registry_port, settings.network.push_port
    if settings.services.registry and (taken := ports & {first, second}):
        yield (
            ("network", "registry_port"),
            f"takes the ports {first} and {second}, and the site has {taken.pop()}; choose another",
        )
    nfs = settings.storage.nfs
    ports |= {first, second}
    if settings.storage.kind == "nfs" and not nfs.server and nfs.port in ports:
        yield ("storage", "nfs", "port"), "is the site's or the registry's; choose another"


def _own_contradictions(stack: str, own: OwnConfig) -> Iterator[tuple[Location, str]]:
    for key in ("mounts", "secrets", "networks"):
        for index, name in enumerate(getattr(own, key)):
            if _may_begin(name.removesuffix(WRITABLE), f"{stack}_"):
                yield (
                    ("own_config", key, index),
                    f"names what is Notehive's own: it begins with {stack}_; "
                    "give yours another name",
                )
    written = [mount.removesuffix(WRITABLE) for mount in own.mounts if mount.endswith(WRITABLE)]
    for index, mount in enumerate(own.mounts):
        above = PurePosixPath(mount).parent
        for other in written:
            if any(fnmatchcase(str(place), other) for place in (above, *above.parents)):
                yield (
                    ("own_config", "mounts", index),
                    f"is inside {other}, which servers write: a link there could lead anywhere "
                    "on a node; name one of the two",
                )


def _may_begin(pattern: str, beginning: str) -> bool:
    """Whether a name that the pattern stands for can begin like this."""
    fixed = pattern.removesuffix("*")
    return fixed.startswith(beginning) or (fixed != pattern and beginning.startswith(fixed))


def _tls_contradictions(settings: Settings) -> Iterator[tuple[Location, str]]:
    tls, url = settings.tls, urlsplit(settings.url)
    if tls.kind != "off" and url.scheme == "http":
        yield ("url",), f"says http, and tls: is {tls.kind}; write https://{url.netloc}"
    for key in ("certificate", "key"):
        if tls.kind == "files" and not getattr(tls, key):
            yield ("tls", key), "is missing; kind: files needs certificate: and key:"
        if tls.kind != "files" and getattr(tls, key):
            yield ("tls", key), "is for kind: files; set that, or remove this"
    for key in ("email", "server"):
        if tls.kind != "acme" and key in tls.model_fields_set:
            yield ("tls", key), "is for kind: acme; set that, or remove this"
    if tls.kind == "self-signed" and tls.authority:
        yield ("tls", "authority"), "is made by `up` with kind: self-signed; remove this"
    if tls.kind == "acme" and not re.search(r"\.[a-z]", url.hostname or ""):
        yield ("tls", "kind"), "acme needs a name that others know; set url: https://NAME"
    if not tls.http_port and (tls.kind == "acme" or settings.is_proxied):
        who = "your proxy asks" if settings.is_proxied else "ACME's server asks"
        yield ("tls", "http_port"), f"is 0, and {who} there; give a port, like 80"
    if settings.port == settings.redirect_port:
        yield ("tls", "http_port"), f"is {settings.port}, the port of url:; choose another, or 0"


def _storage_contradictions(storage: Storage) -> Iterator[tuple[Location, str]]:
    nfs = storage.nfs
    if storage.kind == "local" and nfs != Nfs():
        yield ("storage", "nfs"), "is for kind: nfs; set that, or remove this"
    if storage.kind == "nfs" and storage.path:
        yield (
            ("storage", "path"),
            "is for kind: local; the path of your own NFS server is nfs.path",
        )
    if nfs.server and not nfs.path.startswith("/"):
        yield (
            ("storage", "nfs", "path"),
            f"name the directory that {nfs.server} exports, like /export/notehive",
        )
    if nfs.path and not nfs.server:
        yield (
            ("storage", "nfs", "path"),
            "is for a server of your own; name it with server:, or remove this",
        )
    if re.search(r"(^|,)(addr|port)=", nfs.options):
        yield ("storage", "nfs", "options"), "names the address or port; use server: and port:"


def _contradictions_of_auth(settings: Settings) -> Iterator[tuple[Location, str]]:
    auth = settings.auth
    for kind in ("ldap", "oauth"):
        given = getattr(auth, kind) is not None
        if given and auth.kind != kind:
            yield ("auth", kind), f"is for kind: {kind}; set that, or remove this"
        if auth.kind == kind and not given:
            yield ("auth", "kind"), f"needs {kind}: beside it; docs/login.md has examples"
    if auth.kind == "ldap" and auth.ldap:
        yield from _contradictions_of_ldap(auth.ldap)
    if auth.kind == "oauth" and auth.oauth:
        yield from _contradictions_of_oauth(auth.oauth)
    for theirs, ours in auth.server.group_map.items() if auth.server else ():
        if ours not in settings.groups or ours == EVERYONE:
            defined = ", ".join(name for name in settings.groups if name != EVERYONE) or "none"
            yield (
                ("auth", auth.kind, "group_map", theirs),
                f"{ours!r} is not defined in groups:; defined are {defined}",
            )


def _contradictions_of_ldap(ldap: Ldap) -> Iterator[tuple[Location, str]]:
    at = ("auth", "ldap")
    if ldap.user_dn and not re.fullmatch(r"[^{}]*\{username\}[^{}]*", ldap.user_dn):
        yield (
            (*at, "user_dn"),
            "needs {username} once, like uid={username},ou=people,dc=example,dc=com",
        )
    if ldap.user_dn and ldap.bind_dn:
        yield (*at, "user_dn"), "is instead of looking users up; remove this, or bind_dn"
    if not ldap.user_dn and not ldap.user_base:
        yield at, "needs user_base, where users are, or user_dn"
    if bool(ldap.bind_dn) != bool(ldap.bind_password_file):
        yield (*at, "bind_dn"), "and bind_password_file belong together; set both or none"
    if not ldap.group_base and (ldap.allowed_groups or ldap.admin_groups or ldap.group_map):
        yield at, "names groups, but not where they are; add group_base"


def _contradictions_of_oauth(oauth: OAuth) -> Iterator[tuple[Location, str]]:
    at = ("auth", "oauth")
    if oauth.provider == "oidc" and not oauth.url:
        yield at, "needs url:, the address of your provider"
    if oauth.allowed_domains and oauth.provider != "google":
        yield (*at, "allowed_domains"), "is for provider: google; remove it"
    if oauth.provider == "google" and (oauth.allowed_groups or oauth.admin_groups):
        yield at, "names groups, and Google tells none; use allowed_domains or allowed_users"
    if oauth.is_public and oauth.is_open and not oauth.allowed_domains:
        name = "allowed_domains" if oauth.provider == "google" else "allowed_groups"
        yield at, f"would let anybody in the world in; add {name} or allowed_users"


def _contradictions_of_groups(settings: Settings) -> Iterator[tuple[Location, str]]:
    """Groups whose members could not start anything that the group is for."""
    everyone = settings.groups.get(EVERYONE, Group())
    if everyone.members:
        yield ("groups", EVERYONE, "members"), "every user is in this group; remove the members"
    for name in settings.groups if settings.services.mlflow else ():
        if len(name) < 2 or name.endswith("-") or name in RESERVED_BY_MLFLOW:
            yield ("groups", name), "cannot be the name of a workspace of MLflow; choose another"
    reserved = {size for group in settings.groups.values() for size in group.sizes}
    for name, group in settings.groups.items():
        if group.limits == Limits() and not group.sizes:
            continue
        limits = group.limits.or_more(everyone.limits)
        # What the group is for; or else what is open to all.
        own = group.sizes or [s for s in settings.sizes if s not in reserved] + everyone.sizes
        sizes = [s for s in own if s in settings.sizes]
        if sizes and not any(limits.admit(settings.sizes[s].limit) for s in sizes):
            smallest = min(sizes, key=lambda s: settings.sizes[s].limit.memory)
            need = settings.sizes[smallest].limit
            key = "sizes" if group.limits == Limits() else "limits"
            yield (
                ("groups", name, key),
                f"no size of the group is within its limits: {smallest} needs {need.cpu:g} CPU "
                f"and {format_memory(need.memory)}; raise the limits or name a smaller size",
            )


def _contradictions_of_openings(network: Network) -> Iterator[tuple[Location, str]]:
    """Openings to where no wall has one."""
    users = ipaddress.IPv4Network(network.users)
    for name, opening in network.openings.items():
        for index, address in enumerate(opening.addresses):
            wanted = ipaddress.ip_network(address)
            if isinstance(wanted, ipaddress.IPv4Network) and wanted.subnet_of(users):
                yield (
                    ("network", "openings", name, "addresses", index),
                    f"{address} is in network.users, where servers never reach each other; "
                    "name an address outside",
                )


def _keys(node: yaml.Node, at: Location = ()) -> Iterator[tuple[Location, int, bool]]:
    """Every key and item below a YAML node: where it is, its line, and whether it is text."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = (*at, str(key.value))
            is_text = key.tag in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
            yield path, key.start_mark.line + 1, is_text
            yield from _keys(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*at, index), value.start_mark.line + 1, True
            yield from _keys(value, (*at, index))


# What a value should be, by the kind of pydantic's error.
SHOULD_BE = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "keys and values",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than_equal": "at most {le:g}",
    "list_type": "a list, like [a, b]",
    "literal_error": "{expected}",
    "model_type": "keys and values",
    "string_pattern_mismatch": "letters, digits and . _ -",
    "string_type": "text in quotes",
}


def _explain(error: Any) -> str:
    """Say one of pydantic's errors in our words, with the remedy."""
    kind, location, given = error["type"], error["loc"], error["input"]
    if kind == "extra_forbidden":
        known = _keys_at(location[:-1])
        close = difflib.get_close_matches(str(location[-1]), known, 1)
        remedy = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
        return f"unknown key; {remedy}"
    if kind == "missing":
        return "is missing; add it"
    if given is None:
        return "is empty; give it a value or remove it"
    if kind == "too_short":
        return "needs at least one entry; add one, or remove the key for the default"
    if kind in SHOULD_BE:
        wanted = SHOULD_BE[kind].format(**error.get("ctx", {})).replace("'", '"')
        return f"should be {wanted}, not {_show(given)}"
    return str(error["msg"]).removeprefix("Value error, ")


def _show(given: Any) -> str:
    """A value as it may stand in the file."""
    if isinstance(given, dict):
        return "keys and values"
    if isinstance(given, list):
        return "a list"
    if isinstance(given, str | bool):
        return json.dumps(given, ensure_ascii=False)
    return str(given)


def _keys_at(location: Location) -> list[str]:
    """The keys that the section at this location may have."""
    model: Any = Settings
    name_follows = False  # a key that the operator chose
    for part in location:
        if name_follows:
            name_follows = False
            continue
        annotation = model.model_fields[part].annotation
        name_follows = get_origin(annotation) is dict
        model = _section_of(annotation)
    return list(model.model_fields)


def _section_of(annotation: Any) -> Any:
    """The Section inside a field's type: of ``dict[Name, Size]`` or ``Size | None``, Size."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := _section_of(argument)) is not None:
            return found
    return None


def describe(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Every setting as (key, default, help), sections in the order of declaration.

    A key that the operator chooses stands as ``NAME``: ``sizes.NAME.limit.cpu``.
    """
    for key, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        section = _section_of(field.annotation)
        if section is None:
            shown = "" if field.is_required() else _show_default(default)
            yield (
                prefix + key,
                "required" if field.is_required() else shown,
                field.description or "",
            )
            continue
        many = get_origin(field.annotation) is dict
        chosen = ", ".join(default) if many and default else ""
        yield prefix + key, chosen, field.description or ""
        yield from describe(section, f"{prefix}{key}.{'NAME.' if many else ''}")


def _show_default(default: Any) -> str:
    if default is None:
        return ""
    return yaml.safe_dump(default, default_flow_style=True).split("\n")[0]
