"""A push: an image that was built goes to the registry, from where every node pulls it."""

from dataclasses import dataclass
from pathlib import Path

from notehive.builder import AGAIN, Say, collection, lock
from notehive.builder.config import BuilderConfig
from notehive.builder.engine import BuildEngine
from notehive.builder.registry import Registry
from notehive.builder.wanted import Wanted
from notehive.errors import BadInput, NotehiveError
from notehive.guard.engine import EngineError


@dataclass(frozen=True)
class Pushes:
    """Pushes images of commits, under the commit as their tag."""

    config: BuilderConfig
    engine: BuildEngine
    registry: Registry
    store: Path = collection.STORE  # the registry's volume

    async def push(self, wanted: Wanted, say: Say) -> dict[str, str | bool]:
        """Give the image by its digest, pushed unless the registry has it.

        Raises BadInput if there is none, NotehiveError if the registry does not take it: the
        image is kept, and another push can succeed.
        """
        try:
            return await self._push_missing(wanted, say)
        except BadInput:
            raise
        except NotehiveError as error:
            raise NotehiveError(f"{error}; the image is kept, and {AGAIN}") from None

    async def _push_missing(self, wanted: Wanted, say: Say) -> dict[str, str | bool]:
        name = wanted.image(self.config.registry_port)
        image = await self.engine.image(name)
        there = await self.registry.find(name)
        if image is None and there is None:
            raise BadInput(f"{wanted.model}: {wanted.commit}: there is no image; build it first")
        if there and (image is None or image["Id"] in there.ids):
            say("the registry has it")
            return _result(name, there.digest, reused=True)
        async with lock.held(self.store, alone=False):
            if there:
                # What is run by its digest may be this one: without a tag it would not be found
                # again when it is to go.
                await self.registry.tag(wanted.path, there, f"{wanted.commit}-{there.digest[7:19]}")
            await self._push(name, wanted.image(self.config.push_port), say)
        pushed = await self.registry.find(name)
        if pushed is None:
            raise NotehiveError(f"registry: it has lost {name}; see `./notehive logs registry`")
        return _result(name, pushed.digest, reused=False)

    async def _push(self, name: str, other: str, say: Say) -> None:
        """Push an image by the other name, at which the registry takes pushes."""
        await self.engine.tag(name, other)
        try:
            async for line in self.engine.push(other, self.registry.login):
                say(line)
        except EngineError as error:
            raise NotehiveError(
                f"registry: the push failed: {error}; see `./notehive status`"
            ) from None
        finally:
            await self.engine.remove_image(other)


def _result(name: str, digest: str, *, reused: bool) -> dict[str, str | bool]:
    path = name.rpartition(":")[0]
    return {"image": f"{path}@{digest}", "digest": digest, "reused": reused}
