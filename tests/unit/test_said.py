"""What a start says reaches everyone who listens, from the first word on."""

import asyncio

from notehive.hub.said import Said


def test_late_and_early_listeners_hear_the_same() -> None:
    async def run() -> None:
        said = Said()

        async def listen() -> list[str]:
            return [event["message"] async for event in said.hear()]

        early = asyncio.create_task(listen())
        await asyncio.sleep(0)
        said.say(5, "one")
        said.say(5, "one")
        await asyncio.sleep(0)
        said.say(10, "two")
        late = asyncio.create_task(listen())
        await asyncio.sleep(0)
        said.say(20, "three")
        said.end()
        expected = ["one", "two", "three"]
        assert await asyncio.wait_for(early, 5) == expected
        assert await asyncio.wait_for(late, 5) == expected
        assert await asyncio.wait_for(listen(), 5) == expected

    asyncio.run(run())
