"""Notebook images that groups have released, beside those of the settings.

A repository of ``kind: image`` is one. The API publishes it in the volume `models`, and replaces
it there; who may choose it, may choose the release that is there now.
"""

import functools
import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from notehive.hub.config import HubConfig, HubImage, HubRelease
from notehive.jobs import release
from notehive.jobs.release import ROOT
from notehive.settings import EVERYONE

BROKEN = (AttributeError, KeyError, OSError, TypeError, ValueError)

log = logging.getLogger("notehive.hub.released")


def offered(config: HubConfig) -> HubConfig:
    """Give the configuration with the images that are released now, under ``GROUP/NAME``.

    Each is reserved for its group, as if the settings said so; those of `everyone` are for all.
    """
    if not config.services.registry:
        return config  # no node can pull them
    images, groups = dict(config.images), dict(config.groups)
    for key, image, group in _images(config.registry_port):
        if group != EVERYONE:
            if group not in groups:
                continue  # it is no group any more
            own = [*groups[group].images, key]
            groups[group] = groups[group].model_copy(update={"images": own})
        images[key] = image
    return config.model_copy(update={"images": images, "groups": groups})


def _images(port: int) -> Iterator[tuple[str, HubImage, str]]:
    """Yield key, image and group of all there are; ``port`` is the registry's."""
    for group, name in release.published(ROOT):
        with suppress(OSError):  # it has just been removed
            told = (ROOT / group / name / release.FILE).stat()
            if image := _image(ROOT, group, name, port, (told.st_ino, told.st_ctime_ns)):
                yield f"{group}/{name}", image, group


@functools.lru_cache(maxsize=4096)
def _image(root: Path, group: str, name: str, port: int, stamp: tuple[int, int]) -> HubImage | None:
    """Give the image that a release is, if it is one; read anew when its file has a new stamp."""
    try:
        found = release.read(root, group, name)
        if found.model.get("kind") != "image":
            return None
        own = re.escape(f"127.0.0.1:{port}/models/{group}/{name}@sha256:") + "[0-9a-f]{64}"
        if not re.fullmatch(own, found.image):
            raise ValueError(f"{found.image} is no image of it by digest")
        return HubImage(
            title=found.model["title"] or name,
            description=found.model["description"],
            reference=found.image,
            packages=found.model["packages"],
            release=HubRelease(
                on=found.model["image"], by=found.published_by, at=found.published_at
            ),
        )
    except BROKEN as error:
        log.warning("%s/%s: left out, for its release cannot be read: %r", group, name, error)
        return None
