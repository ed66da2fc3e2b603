"""What is compared: each row is a hub, the servers that it starts, and the same user's steps."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench import servers
from bench.client import Hub, User


@dataclass(frozen=True)
class Row:
    """One of those compared."""

    title: str
    stack: str
    image: str  # of its servers
    hub: Hub
    options: Mapping[str, str] = field(default_factory=dict)

    async def new_users(self, stem: str, count: int) -> list[User]:
        """Make users that nobody has been: their homes are empty, their names in no cache."""
        return [await self.hub.add_user(f"{stem}-{n}", self.options) for n in range(count)]

    async def stop(self, users: list[User]) -> None:
        """Stop these users' servers, and wait until nothing of them is left."""
        await asyncio.gather(*(user.stop() for user in users))
        async with asyncio.timeout(120):
            while not servers.are_gone(self.stack):
                await asyncio.sleep(0.2)
