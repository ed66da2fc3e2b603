"""Runs the step that the environment names, of the project in the working directory.

Ends with exit code 0 or 1; the last line of the log says why it is 1.
"""

import os
import signal
from pathlib import Path
from typing import Any, NoReturn

from notehive.lab import garbage
from notehive.models.project import load
from notehive.models.step import running
from notehive.models.step.failure import Stopped
from notehive.models.step.job import Job
from notehive.models.step.log import Log


def stop(number: int, *_: Any) -> None:
    """End what is being done, at a signal."""
    signal.signal(number, signal.SIG_IGN)
    raise Stopped("the step was told to end")


def main() -> NoReturn:
    """Run the step."""
    garbage.put_off()
    os.dup2(1, 2)  # one stream: nothing may come after the last line
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log = Log()
    running.leave(running.reason(lambda: running.run(Job.read(os.environ), load(Path()), log)), log)


if __name__ == "__main__":
    main()
