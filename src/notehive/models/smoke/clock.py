"""The time that all notebooks and tests of a project have together."""

import time


class Clock:
    """Runs from its making."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._end = seconds, time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; never less than none."""
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> str:
        """What is said of who is still at it when no time is left."""
        return (
            f"all notebooks and tests took longer than {self._seconds / 60:g} minutes; "
            "give them less to do with smoke: in model.yml"
        )
