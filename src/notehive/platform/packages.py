"""What a notebook image of ours has installed: for people who choose one."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from notehive.platform import images
from notehive.platform.place import ROOT

NAME = re.compile(r"[A-Za-z0-9._-]+")
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.M)


def installed(image: str, root: Path = ROOT) -> list[str]:
    """Give the packages that an image was made for, each as "name version", by name.

    They are those of the image's group in pyproject.toml, at the versions in requirements/. An
    image without a group has what the image has that it is built from.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    groups: dict[str, list[Any]] = project["dependency-groups"]
    tree = images.tree(root)
    while image not in groups:
        parents = [parent for parent in tree[image].parents if parent in tree]
        if not parents:
            return []
        image = parents[-1]
    pinned = dict(PINNED.findall((root / f"requirements/{image}.txt").read_text(encoding="utf-8")))
    return [f"{name} {pinned[name]}" for name in sorted(set(_names(groups, image)))]


def _names(groups: dict[str, list[Any]], group: str) -> Iterator[str]:
    for entry in groups[group]:
        if isinstance(entry, dict):
            yield from _names(groups, entry["include-group"])
        elif match := NAME.match(entry):
            yield match[0].lower().replace("_", "-").replace(".", "-")
