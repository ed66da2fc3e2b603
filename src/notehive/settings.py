"""Typed settings, and the only reader of settings.yml.

Each setting is declared once, here, with its type, its default and its help. What a
person reads (``./notehive settings``, docs/settings.md) is made from these declarations.
"""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from notehive.errors import BadInput
from notehive.usernames import check_user_name

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")
UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
GIB = UNITS["G"]
SMALLEST_SERVER = 128 * UNITS["M"]  # below this, JupyterLab does not start


def parse_memory(value: object) -> int:
    """Take ``512M``, ``1.5G`` or a number of bytes; give bytes (units are powers of 1024)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", str(value).strip())
    if not match:
        raise ValueError("is not an amount of memory; write it like 512M or 4G")
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
    if not value:
        return value
    parts = urlsplit(value)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme != "http" or not parts.hostname or port == 0 or parts.path not in ("", "/"):
        raise ValueError("write it like http://workbench.example.com or http://10.0.0.5:8080")
    if parts.hostname in ("localhost", "::1") or parts.hostname.startswith("127."):
        raise ValueError(
            "users' servers cannot reach a loopback address; "
            "to try Notehive on one machine, use http://notehive.localhost"
        )
    return value.rstrip("/")


Memory = Annotated[int, BeforeValidator(parse_memory), PlainSerializer(format_memory, str, "json")]
UserName = Annotated[str, AfterValidator(check_user_name)]
Name = Annotated[str, AfterValidator(_check_name)]


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


class Image(Section):
    """A notebook image that users may choose."""

    title: str = Field("", description="Its name on the spawn form; the key if empty.")
    description: str = Field("", description="One line below the title.")
    image: str = Field(
        "",
        description="A folder of notebooks-images/, built by `up`, or a reference that Docker "
        "pulls (built FROM one of ours); the key if empty.",
    )


class Group(Section):
    """A group of users."""

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


class LockOut(Section):
    """When failed logins lock an account."""

    attempts: int = Field(5, ge=1, description="Failed logins in a row that lock an account.")
    minutes: int = Field(10, ge=1, description="How long it stays locked.")


class Auth(Section):
    """How people log in."""

    kind: Literal["native"] = Field("native", description="Accounts kept by the hub itself.")
    sign_up: bool = Field(
        True, description="People may ask for an account, which an administrator approves."
    )
    min_password_length: int = Field(10, ge=8, le=64, description="The shortest password accepted.")
    lock_out: LockOut = Field(default_factory=LockOut, description="When failed logins lock.")


class Storage(Section):
    """Where users' homes are."""

    kind: Literal["local"] = Field(
        "local", description="Docker volumes on the node that keeps the data."
    )


class Mirrors(Section):
    """Package mirrors for builds and users; empty means the package manager's own default."""

    apt: str = Field("", description="Debian mirror, the address above dists/ and pool/.")
    apt_security: str = Field("", description="Debian security mirror; found beside `apt`'s.")
    pypi: str = Field("", description="Python index, the address that ends in simple/.")
    npm: str = Field("", description="npm registry.")
    docker: str = Field("", description="Registry that holds the base image debian:trixie-slim.")

    @model_validator(mode="after")
    def _no_credentials_where_they_would_stay(self) -> "Mirrors":
        for key in ("apt", "apt_security"):
            if "@" in urlsplit(getattr(self, key)).netloc:
                raise ValueError(
                    f"{key} holds a password, which would stay in the images; "
                    "use a mirror without one"
                )
        return self


class Services(Section):
    """What runs beside the hub. What is off is left out, and its links vanish."""

    mlflow: bool = Field(True, description="Experiment tracking and model registry, /mlflow/.")
    registry: bool = Field(True, description="Image registry, which other nodes pull from.")


class Network(Section):
    """Addresses inside the Swarm."""

    users: str = Field(
        "10.96.0.0/16",
        pattern=r"^\d+\.\d+\.\d+\.\d+/\d+$",
        description="Subnet of users' servers, one address each; one that your network lacks.",
    )
    registry_port: int = Field(
        5000, ge=1024, le=65534, description="Loopback port, on every node, that images come from."
    )


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
    url: Annotated[str, AfterValidator(_check_url)] = Field(
        "",
        description="Where people open it, like http://workbench.example.com:8080; "
        "port 80 of this machine's address if empty.",
    )
    tls: Literal["off"] = Field("off", description="Encryption of the site; only `off` for now.")
    admins: list[UserName] = Field(
        default_factory=lambda: ["admin"],
        min_length=1,
        description="Users who administer; `up` makes the first one's account.",
    )
    auth: Auth = Field(default_factory=Auth, description="How people log in.")
    groups: dict[Name, Group] = Field(default_factory=dict, description="Groups of users.")
    images: dict[Name, Image] = Field(
        default_factory=_default_images, min_length=1, description="Notebook images to choose from."
    )
    sizes: dict[Name, Size] = Field(
        default_factory=_default_sizes, min_length=1, description="Sizes to choose from."
    )
    storage: Storage = Field(default_factory=Storage, description="Where users' homes are.")
    mirrors: Mirrors = Field(default_factory=Mirrors, description="Package mirrors.")
    ca_bundle: str = Field(
        "",
        description="File of the certificates that images trust; this machine's bundle if empty.",
    )
    services: Services = Field(default_factory=Services, description="What runs beside the hub.")
    network: Network = Field(default_factory=Network, description="Addresses inside the Swarm.")

    @model_validator(mode="before")
    @classmethod
    def _yaml_false_is_off(cls, data: Any) -> Any:
        # YAML 1.1 reads a bare `off` as false.
        if isinstance(data, dict) and data.get("tls") is False:
            return {**data, "tls": "off"}
        return data


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
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from None
    return parse(text, str(path))


def parse(text: str, place: str = "settings.yml") -> Settings:
    """Check the text of a settings file; ``place`` is its name in errors."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInput(f"{place}:{line}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise BadInput(f"{place}: not YAML: {error}") from None
    if data is None:
        return Settings()
    if not isinstance(data, dict):
        raise BadInput(f"{place}:1: should be keys and values, like `name: notehive`")
    lines = dict(_lines(root)) if root else {}
    for key, line in _repeated(root):
        raise BadInput(f"{place}:{line}: {key}: written twice; keep one")

    def fail(location: tuple[Any, ...], message: str) -> BadInput:
        known = [n for n in range(len(location), -1, -1) if location[:n] in lines]
        line = lines[location[: known[0]]] if known else 1
        key = ".".join(str(part) for part in location)
        return BadInput(f"{place}:{line}: {key}: {message}" if key else f"{place}: {message}")

    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        location = tuple(part for part in first["loc"] if part != "[key]")
        raise fail(location, _explain(first)) from None
    for group, key, name in _undefined(settings):
        defined = ", ".join(getattr(settings, key))
        raise fail(
            ("groups", group, key), f"{name!r} is not defined in {key}:; defined are {defined}"
        )
    return settings


def _undefined(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Images and sizes that a group names and nobody defines."""
    for group, rights in settings.groups.items():
        for key in ("images", "sizes"):
            for name in getattr(rights, key):
                if name not in getattr(settings, key):
                    yield group, key, name


def _lines(node: yaml.Node, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], int]]:
    """The line, from 1, of every key and item below a YAML node."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = (*at, key.value)
            yield path, key.start_mark.line + 1
            yield from _lines(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*at, index), value.start_mark.line + 1
            yield from _lines(value, (*at, index))


def _repeated(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Keys written twice in one mapping, of which YAML would silently keep the last."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
            yield from _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated(value)


def _explain(error: Any) -> str:
    """Say one of pydantic's errors in our words, with the remedy."""
    kind, location = error["type"], error["loc"]
    if kind == "extra_forbidden":
        known = _keys_at(location[:-1])
        close = difflib.get_close_matches(str(location[-1]), known, 1)
        remedy = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
        return f"unknown key; {remedy}"
    if kind == "missing":
        return "is missing; add it"
    message = str(error["msg"]).removeprefix("Value error, ")
    if kind == "value_error":
        return message
    given = error["input"]
    shown = "nothing" if given is None else repr(given)
    return f"{message[0].lower()}{message[1:]}, not {shown if len(shown) < 60 else type(given)}"


def _keys_at(location: tuple[Any, ...]) -> list[str]:
    """The keys that the section at this location may have."""
    model: Any = Settings
    for part in location:
        if isinstance(model, type) and issubclass(model, BaseModel):
            model = _section_of(model.model_fields[str(part)].annotation)
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
            shown = "" if field.is_required() else yaml.safe_dump(default).split("\n")[0]
            yield (
                prefix + key,
                "required" if field.is_required() else shown,
                field.description or "",
            )
            continue
        many = getattr(field.annotation, "__origin__", None) is dict
        chosen = ", ".join(default) if many and default else ""
        yield prefix + key, chosen, field.description or ""
        yield from describe(section, f"{prefix}{key}.{'NAME.' if many else ''}")
