"""The state of the Swarm and of the storage: ``python3 -m notehive.metrics.swarm``."""

import logging
import os
from collections.abc import Callable, Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from notehive.metrics.serve import serve
from notehive.metrics.swarm import Swarm, addresses, containers, nodes, storage, tasks

log = logging.getLogger("notehive.metrics")


class Source:
    """Somebody who is asked at each scrape, and may not answer: the others are heard then."""

    def __init__(self, name: str, ask: Callable[[], list[Metric]]) -> None:
        self.name = name
        self.ask = ask

    def collect(self) -> Iterator[Metric]:
        """Give what is answered, and whether it is."""
        up = GaugeMetricFamily(
            f"notehive_{self.name}_up", f"Whether the {self.name} tells of itself: 1 or 0."
        )
        try:
            found = self.ask()
        except OSError as error:
            log.warning("the %s does not answer: %s", self.name, error)
            found = []
        up.add_metric([], bool(found))
        yield from (up, *found)


def swarm(stack: str) -> list[Metric]:
    """Ask for all that is told of the Swarm."""
    now = Swarm.ask(stack)
    return [m for part in (nodes, tasks, containers, addresses) for m in part.metrics(now)]


def main() -> None:
    """Serve for ever."""
    stack = os.environ["STACK"]
    serve(
        Source("swarm", lambda: swarm(stack)),
        Source("storage", lambda: list(storage.metrics(storage.ask()))),
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    main()
