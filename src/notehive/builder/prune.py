"""Removes images of a model that nobody wants any more, from the registry and from this engine."""

from dataclasses import dataclass

from notehive.builder import Say, labels
from notehive.builder.config import BuilderConfig
from notehive.builder.engine import BuildEngine
from notehive.builder.registry import Registry
from notehive.builder.tidy import names
from notehive.builder.wanted import WantedPruning


@dataclass(frozen=True)
class Prunes:
    """Prunes one model at a time. Of its images nobody may push one meanwhile."""

    config: BuilderConfig
    engine: BuildEngine
    registry: Registry

    async def prune(self, wanted: WantedPruning, say: Say) -> dict[str, int]:
        """Remove all but those to keep and those that services run; give how many.

        Raises NotehiveError.
        """
        await self._from_engine(wanted)
        kept = {*wanted.keep.values(), *await self._running()}
        host = f"127.0.0.1:{self.config.registry_port}"
        found = [
            await self.registry.find(f"{host}/{wanted.path}:{tag}")
            for tag in await self.registry.tags(wanted.path)
        ]
        superfluous = {image.digest for image in found if image} - kept
        for digest in sorted(superfluous):
            await self.registry.remove(wanted.path, digest)
            say(f"removed {wanted.model}@{digest}")
        return {"removed": len(superfluous)}

    async def _running(self) -> set[str]:
        """Give the digests of what the site's services run, wherever they do."""
        services = await self.engine.services({labels.STACK: self.config.stack})
        images = (each["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] for each in services)
        return {image.partition("@")[2] for image in images if "@" in image}

    async def _from_engine(self, wanted: WantedPruning) -> None:
        """Remove what the engine has of other commits; it keeps what a container uses."""
        mine = {
            labels.BUILDER: self.config.stack,
            labels.KIND: labels.MODEL,
            labels.GROUP: wanted.group,
            labels.NAME: wanted.name,
        }
        for image in await self.engine.images(mine):
            if image["Labels"][labels.COMMIT] not in wanted.keep:
                for name in names(image) or [image["Id"]]:
                    await self.engine.remove_image(name)
