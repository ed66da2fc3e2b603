"""What a project says of its image: the parts of model.yml that a build needs."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from notehive.builder import requirements, sizes
from notehive.builder.requirements import Requirement
from notehive.errors import BadInput

FILE = "model.yml"
KINDS = ("model", "image")
DEBIAN_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")


@dataclass(frozen=True)
class Recipe:
    """What is built on which notebook image."""

    name: str
    image: str
    kind: str = "model"  # or `image`: a notebook image, without the project's files
    packages: tuple[str, ...] = ()  # Debian's, sorted
    requirements: tuple[Requirement, ...] = ()
    sizes: tuple[tuple[str, str], ...] = ()  # that are named: where, and which

    @property
    def size(self) -> str:
        """That of the model; empty if it names none."""
        return dict(self.sizes).get("size", "")


def read(directory: Path) -> Recipe:
    """Read the recipe of a project. Raises BadInput."""
    try:
        data = yaml.safe_load((directory / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{FILE}: there is none; `notehive model new` makes one") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadInput(f"{FILE}: cannot be read: {str(error).splitlines()[0]}") from None
    if not isinstance(data, dict):
        raise BadInput(f"{FILE}: should be keys and values, like `name: churn`")
    kind = data.get("kind", "model")
    if kind not in KINDS:
        raise BadInput(f"{FILE}: kind: should be {' or '.join(KINDS)}")
    packages = data.get("packages", [])
    if not isinstance(packages, list):
        raise BadInput(f"{FILE}: packages: should be a list, like [graphviz]")
    for package in packages:
        if not isinstance(package, str) or not DEBIAN_PACKAGE.fullmatch(package):
            raise BadInput(f"{FILE}: packages: {package!r} is no name of a Debian package")
    if packages and kind != "image":
        raise BadInput(
            f"{FILE}: packages: only with `kind: image`; a model gets no Debian packages"
        )
    return Recipe(
        name=_text(data, "name"),
        image=_text(data, "image"),
        kind=kind,
        packages=tuple(sorted(set(packages))),
        requirements=requirements.of(directory),
        sizes=tuple(sizes.named(data)),
    )


def _text(data: dict[Any, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise BadInput(f"{FILE}: {key}: is missing, or no text")
    return value
