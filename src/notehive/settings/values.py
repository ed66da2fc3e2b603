"""What the values of settings.yml may be."""

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from notehive.usernames import check_user_name

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")
UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
MIB, GIB = UNITS["M"], UNITS["G"]
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
MODEL_PATH = re.compile(rf"{NAME.pattern}/[a-z0-9][a-z0-9-]{{0,38}}[a-z0-9]")
GIT_URL = re.compile(
    r"(https://|ssh://[a-z_][a-z0-9_-]*@)[A-Za-z0-9][A-Za-z0-9.-]*(:[1-9][0-9]{0,4})?"
    r"(/[\w~][\w.~-]*){2,}",
    re.ASCII,
)
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


def _check_model_path(value: str) -> str:
    if not MODEL_PATH.fullmatch(value):
        raise ValueError("write it as GROUP/NAME, like risk/churn")
    return value


def _check_git_url(value: str) -> str:
    if not GIT_URL.fullmatch(value):
        raise ValueError(
            "write it like https://gitlab.example.com/ml/churn.git or "
            "ssh://git@gitlab.example.com/ml/churn.git, without a password"
        )
    return value


def _check_host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[?[0-9a-fA-F:]+\]?", value):
        raise ValueError("write the name alone, like ldap.example.com; the rest is port: and tls:")
    return value


def _check_filter(value: str) -> str:
    if value and not (value.startswith("(") and value.endswith(")")):
        raise ValueError("write it with its brackets, like (objectClass=person)")
    return value


def switch(value: object) -> object:
    """Take the text of a switch, or what YAML 1.1 reads a bare `on` or `off` as: true or false."""
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
ModelPath = Annotated[str, AfterValidator(_check_model_path)]
GitUrl = Annotated[str, AfterValidator(_check_git_url)]
GitBranch = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*([./][A-Za-z0-9_-]+)*$")]
GitUser = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+@-]*$")]
Subnet = Annotated[str, AfterValidator(_check_subnet)]
UserName = Annotated[str, AfterValidator(check_user_name)]
Name = Annotated[str, AfterValidator(_check_name)]
GenericResource = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
