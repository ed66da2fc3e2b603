"""The most that one service can ask for."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from notehive.guard.body import Requirements, Reserved
from notehive.guard.refused import RefusedError


@dataclass(frozen=True)
class Most:
    """Amounts in the units of the API."""

    nano_cpus: int
    memory: int  # bytes
    pids: int
    generic: Mapping[str, int]  # of what nodes advertise, by kind

    def check(self, resources: Requirements) -> None:
        """Raise RefusedError for what is more than this."""
        limits, kept = resources.Limits, resources.Reservations or Reserved()
        generic: Counter[str] = Counter()
        for each in kept.GenericResources or ():
            generic[each.DiscreteResourceSpec.Kind] += each.DiscreteResourceSpec.Value
        for what, amount, most in (
            ("Limits.NanoCPUs", limits.NanoCPUs, self.nano_cpus),
            ("Limits.MemoryBytes", limits.MemoryBytes, self.memory),
            ("Limits.Pids", limits.Pids, self.pids),
            ("Reservations.NanoCPUs", kept.NanoCPUs, self.nano_cpus),
            ("Reservations.MemoryBytes", kept.MemoryBytes, self.memory),
            *((kind, number, self.generic.get(kind, 0)) for kind, number in generic.items()),
        ):
            if amount > most:
                raise RefusedError(
                    f"Resources: {what} is {amount}, more than the {most} of the largest size; "
                    "raise that, or settings.yml, own_config.limit:"
                )
