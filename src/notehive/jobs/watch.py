"""One watch over the tasks of all jobs."""

from notehive.hub.watch import Question, Watch
from notehive.jobs.step import KIND

LOOK_SECONDS = 0.25  # an hour's notebook does not mind, and a hundred cost next to nothing


class JobWatch(Watch):
    """A watch that looks at all jobs at once: their names together are too long for a request.

    Those who follow a job must know the id of its service.
    """

    kind = KIND

    def questions(self) -> list[Question]:
        """Give one question: what the tasks of all jobs do."""
        return [(list(self._followers), {"label": self._labels})]
