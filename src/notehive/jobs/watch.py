"""One watch over the tasks of all jobs."""

from notehive.hub.watch import Watch
from notehive.jobs.step import KIND


class JobWatch(Watch):
    """A watch that looks at all jobs at once: their names together are too long for a request."""

    kind = KIND
    look_seconds = 0.25  # an hour's notebook does not mind, and a hundred cost next to nothing

    def chosen(self, names: list[str]) -> dict[str, list[str]]:
        """Give the filters of the tasks of all jobs."""
        return {"label": self._labels}
