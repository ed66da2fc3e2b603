"""Tries the project in the working directory; ends with 0 or 1, and says at last why it is 1."""

import os
import tempfile
from pathlib import Path
from typing import NoReturn

from notehive.lab import garbage
from notehive.models.project import load
from notehive.models.smoke import own_tests, store
from notehive.models.smoke.clock import Clock
from notehive.models.smoke.trial import Trial
from notehive.models.step import running
from notehive.models.step.log import Log

SECONDS = "NOTEHIVE_SMOKE_SECONDS"  # that all of it may take


def smoke(log: Log) -> None:
    """Try all notebooks, and then the tests; raise Failed with the first thing that is wrong."""
    clock, project = Clock(float(os.environ[SECONDS])), load(Path())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= store.variables(folder, project.name)
        Trial(project, folder, clock, log).run()
        own_tests.run(folder / "tests.xml", clock, log)


def main() -> NoReturn:
    """Try the project."""
    garbage.put_off()
    os.dup2(1, 2)  # one stream: nothing may come after the last line
    log = Log()
    running.leave(running.reason(lambda: smoke(log)), log)


if __name__ == "__main__":
    main()
