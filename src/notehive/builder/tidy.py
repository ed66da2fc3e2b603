"""What builds leave: the engine keeps the newest images, and a cache with an end."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from notehive.builder import labels
from notehive.builder.engine import BuildEngine
from notehive.guard.engine import EngineError

KEPT = 3  # images of each model; older ones are in the registry, if they were released
DEPENDENCIES_SECONDS = 7 * 24 * 3600  # how long images of dependencies that none stands on are
CACHE_BYTES, CACHE_HOURS = 10 << 30, 24  # what is younger stays, whatever its size

log = logging.getLogger("notehive.builder")


async def tidy(engine: BuildEngine, stack: str) -> None:
    """Remove what is old; what is in use stays."""
    try:
        for image in superfluous(await engine.images({labels.BUILDER: stack}), time.time()):
            for name in names(image) or [image["Id"]]:
                if await engine.remove_image(name):
                    log.info("removed %s", name)
        await engine.forget(CACHE_BYTES, CACHE_HOURS)
    except EngineError as error:
        log.warning("not tidied: %s", error)


def superfluous(images: Sequence[dict[str, Any]], now: float) -> Iterator[dict[str, Any]]:
    """Yield those of the builder's images, as the engine lists them, that are not needed."""
    models = defaultdict(list)
    for image in sorted(images, key=lambda each: -each["Created"]):
        told = image["Labels"]
        if told[labels.KIND] == labels.MODEL:
            models[told[labels.GROUP], told[labels.NAME]].append(image)
    used = set()
    for ours in models.values():
        named = [each for each in ours if names(each)]
        used |= {each["Labels"][labels.DEPENDENCIES_KEY] for each in named[:KEPT]}
        yield from (each for each in ours if each not in named[:KEPT])
    for image in images:
        told = image["Labels"]
        if told[labels.KIND] == labels.DEPENDENCIES:
            is_old = now - image["Created"] > DEPENDENCIES_SECONDS
            if not names(image) or (is_old and told[labels.DEPENDENCIES_KEY] not in used):
                yield image


def names(image: dict[str, Any]) -> list[str]:
    """Give the names of an image, as the engine lists it."""
    return [name for name in image["RepoTags"] or () if not name.startswith("<none>")]
