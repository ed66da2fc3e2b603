"""Who has failed to log in how often, and is therefore locked out."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable


class FailedLogins:
    """Count failures in a row by name, in memory.

    ``attempts`` failures lock a name until ``seconds`` after the last of them. A failure is
    forgotten after the same time. Names are counted whether or not there is such a user,
    so a lock does not say which names exist.
    """

    def __init__(
        self,
        attempts: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        most_names: int = 10_000,
    ) -> None:
        self.attempts = attempts
        self.seconds = seconds
        self.clock = clock
        # To push a locked name out takes this many failures of other names, each of which
        # costs a password hash: longer than the lock lasts.
        self.most_names = most_names
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def locked_for(self, name: str) -> int:
        """Give the seconds, rounded up, for which this name is locked; 0 if it is not."""
        count, last = self._failures.get(name, (0, 0.0))
        left = last + self.seconds - self.clock()
        return math.ceil(left) if count >= self.attempts and left > 0 else 0

    def failed(self, name: str) -> None:
        """Count a failure of this name."""
        now = self.clock()
        count, last = self._failures.pop(name, (0, now))
        if last + self.seconds <= now:
            count = 0
        self._failures[name] = (count + 1, now)  # the dictionary stays sorted by time
        if len(self._failures) > self.most_names:
            self._failures.popitem(last=False)

    def forget(self, name: str) -> None:
        """Start again from zero: the right password was given, or a new one was set."""
        self._failures.pop(name, None)
