"""What is measured of the rows, one after the other in each round."""

import asyncio
from collections.abc import Callable, Mapping

from bench.client import Attempt
from bench.rows import Row

Rows = Mapping[str, Row]
Attempts = dict[str, list[Attempt]]
Say = Callable[[str], None]


def shown(attempt: Attempt) -> str:
    """Give an attempt as it stands in a line of progress."""
    return f"{attempt.result:.2f} s" if attempt.result is not None else f"FAILED {attempt.failure}"


def line(attempts: Mapping[str, list[Attempt]]) -> str:
    """Give the slowest of each row, or its first failure, in one line."""
    parts = []
    for key, found in attempts.items():
        worst = max(found, key=lambda a: float("inf") if a.result is None else a.result)
        parts.append(f"{key} {shown(worst)}")
    return "   ".join(parts)


async def serial(rows: Rows, stem: str, rounds: int, say: Say) -> Attempts:
    """One user after the other: A B C A B C ..."""
    found: Attempts = {key: [] for key in rows}
    for number in range(rounds):
        for key, row in rows.items():
            users = await row.new_users(f"{stem}{number}", 1)
            found[key].append(await users[0].spawn())
            await row.stop(users)
        say(f"{stem} {number + 1}/{rounds}   {line({k: v[-1:] for k, v in found.items()})}")
    return found


async def storms(rows: Rows, rounds: int, size: int, say: Say) -> Attempts:
    """Users who start at the same moment."""
    found: Attempts = {key: [] for key in rows}
    for number in range(rounds):
        latest: Attempts = {}
        for key, row in rows.items():
            users = await row.new_users(f"storm{number}", size)
            latest[key] = list(await asyncio.gather(*(user.spawn() for user in users)))
            found[key] += latest[key]
            await row.stop(users)
        say(f"storm {number + 1}/{rounds}   {line(latest)}")
    return found


async def restarts(rows: Rows, rounds: int, size: int, say: Say) -> Attempts:
    """Users with a server who stop it and at once start it again, several times over."""
    found: Attempts = {key: [] for key in rows}
    for key, row in rows.items():
        users = await row.new_users("restart", size)
        first = await asyncio.gather(*(user.spawn() for user in users))
        say(f"before the restarts   {line({key: list(first)})}")
        for number in range(rounds):
            latest = await asyncio.gather(*(user.restart() for user in users))
            found[key] += latest
            say(f"restart {number + 1}/{rounds}   {line({key: list(latest)})}")
        await row.stop(users)
    return found
