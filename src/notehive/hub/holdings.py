"""What a user's servers hold together, and whether one more is within the limits."""

from collections.abc import Iterable
from typing import NamedTuple

from notehive.hub.amounts import cpus, memory, of_memory
from notehive.settings import Limits, Resources

DIGITS = 6  # of CPUs that count: 0.1 + 0.2 is 0.3


class Holding(NamedTuple):
    """What servers hold: how many, CPUs and bytes of memory."""

    servers: int = 0
    cpu: float = 0
    memory: int = 0


def total(holdings: Iterable[Holding]) -> Holding:
    """Give what several hold together."""
    each = list(holdings)
    return Holding(
        sum(h.servers for h in each),
        round(sum(h.cpu for h in each), DIGITS),
        sum(h.memory for h in each),
    )


class Shortage(NamedTuple):
    """Why a server does not fit: a sentence for whoever asked for it, a few words for a card."""

    sentence: str
    words: str


def shortage(limits: Limits, held: Holding, need: Resources) -> Shortage | None:
    """Say what is short for one more server, beside those that hold so much; None if it fits."""
    if limits.servers is not None and held.servers >= limits.servers:
        count = f"{held.servers} of {limits.servers} {_servers(limits.servers)}"
        return Shortage(f"You hold {count}; stop one first.", "stop a server first")
    if limits.cpu is not None and round(held.cpu + need.cpu, DIGITS) > limits.cpu:
        left = max(round(limits.cpu - held.cpu, DIGITS), 0)
        return Shortage(
            f"This size needs {cpus(need.cpu)}; you have {left:g} of {limits.cpu:g} left.",
            f"needs {cpus(need.cpu)}, {left:g} left",
        )
    if limits.memory is not None and held.memory + need.memory > limits.memory:
        spare = max(limits.memory - held.memory, 0)
        return Shortage(
            f"This size needs {memory(need.memory)} of memory; "
            f"you have {of_memory(spare, limits.memory)} left.",
            f"needs {memory(need.memory)}, {memory(spare)} left",
        )
    return None


def summary(limits: Limits, held: Holding, who: str = "You hold") -> str:
    """Give a sentence of how much of the limits is used; nothing where nothing is limited."""
    parts = []
    if limits.servers is not None:
        parts.append(f"{held.servers} of {limits.servers} {_servers(limits.servers)}")
    if limits.cpu is not None:
        parts.append(f"{held.cpu:g} of {cpus(limits.cpu)}")
    if limits.memory is not None:
        parts.append(f"{of_memory(held.memory, limits.memory)} of memory")
    return f"{who} {', '.join(parts)}." if parts else ""


def _servers(count: int) -> str:
    return "server" if count == 1 else "servers"
